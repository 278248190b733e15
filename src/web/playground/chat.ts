/** A chat with a model through the proxy. */
import { reason, send } from '../lib/ask.ts';
import { piecesOf } from './stream.ts';

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly thinking?: string;
  /** Omitted until it is known. */
  readonly facts?: Facts;
  readonly problem?: string;
}

/** The outcome of an answer. */
export interface Facts {
  readonly id: string;
  readonly target: string;
  readonly attempts: number;
  readonly firstMs: number | null;
  readonly ms: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly finish: string | null;
}

/** Sends a request, and shows the answer as it arrives, once per animation frame. */
export async function answerTo(body: object, signal: AbortSignal, show: (turn: Turn) => void): Promise<void> {
  const beganMs = performance.now();
  let turn: Turn = { role: 'assistant', text: '' };
  let frame = 0;
  const change = (next: Partial<Turn>) => {
    turn = { ...turn, ...next };
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show(turn);
    });
  };
  change({});
  try {
    const answer = await send('POST', 'chat', body, signal);
    const { headers } = answer;
    let facts: Facts = {
      id: headers.get('x-request-id') ?? '',
      target: `${headers.get('x-llmproxy-provider') ?? ''}/${headers.get('x-llmproxy-model') ?? ''}`,
      attempts: Number(headers.get('x-llmproxy-attempts') ?? 1),
      firstMs: null,
      ms: 0,
      input: null,
      output: null,
      finish: null,
    };
    for await (const piece of piecesOf(answer.body!)) {
      const { text = '', thinking = '', finish, usage, error } = piece;
      if (facts.firstMs === null && text + thinking !== '')
        facts = { ...facts, firstMs: performance.now() - beganMs };
      if (finish !== undefined) facts = { ...facts, finish };
      if (usage)
        facts = { ...facts, input: usage.prompt_tokens ?? null, output: usage.completion_tokens ?? null };
      change({
        text: turn.text + text,
        ...(thinking === '' ? {} : { thinking: (turn.thinking ?? '') + thinking }),
        ...(error === undefined ? {} : { problem: error }),
      });
    }
    change({ facts: { ...facts, ms: performance.now() - beganMs } });
  } catch (thrown) {
    change({ problem: signal.aborted ? 'Stopped' : reason(thrown) });
  }
}
