/** Scripts of targets that are asked to continue the answer of another target. */
import type { JsonObject } from '../../../src/wire/json.ts';
import type { Turn } from './turn.ts';
import { GAP_MS } from './scripts.ts';

interface Begun {
  /** The beginning of the answer, as it came with the request. */
  readonly text: string;
  /** Whether it is the last message, to be continued. */
  readonly prefilled: boolean;
}

/** The beginning of the answer that the request contains. */
export function begun({ attempt }: Turn): Begun {
  const messages = (attempt.body.messages ?? attempt.body.input) as JsonObject[];
  const last = messages.findLast(({ role }) => role === 'assistant');
  return { text: last ? textOf(last.content) : '', prefilled: messages.at(-1)!.role === 'assistant' };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as { text?: string }[]).map(({ text = '' }) => text).join('');
}

/** Streams a text in small pieces, complete unless it is to be cut. */
async function tell(turn: Turn, text: string, { cut = false, untold = false } = {}): Promise<void> {
  const { wire } = turn;
  if (turn.attempt.protocol === 'anthropic' && begun(turn).prefilled && /\s$/.test(begun(turn).text)) {
    return await turn.error('400-whitespace');
  }
  if (!turn.stream) return await turn.answer(200, wire.whole(text));
  await turn.head();
  await turn.send(wire.opening);
  for (let at = 0; at < text.length; at += 4) await turn.send(wire.piece(text.slice(at, at + 4)));
  if (cut) {
    await turn.sleep(GAP_MS);
    return turn.fin();
  }
  await turn.send((untold ? '' : wire.closing) + wire.terminator);
  await turn.end();
}

const rest = (turn: Turn): string => turn.text.slice(begun(turn).text.length);

export const CONTINUING = {
  /** Continues exactly where the beginning ends. */
  continue: (turn: Turn) => tell(turn, rest(turn)),
  /** Repeats the last 20 characters of the beginning. */
  'continue-overlap': (turn: Turn) => tell(turn, turn.text.slice(Math.max(0, begun(turn).text.length - 20))),
  /** Starts from the beginning again. */
  'continue-over': (turn: Turn) => tell(turn, turn.text),
  /** Continues for some words, and is then cut too. */
  'continue-cut': (turn: Turn) => tell(turn, rest(turn).slice(0, 24), { cut: true }),
  /** Continues, and ends without a finish reason. Chat only. */
  'continue-untold': (turn: Turn) => tell(turn, rest(turn), { untold: true }),
  /** Rejects requests that contain the beginning of an answer. */
  'continue-refused': (turn: Turn) =>
    begun(turn).prefilled ? turn.error('400-prefill') : tell(turn, rest(turn)),
} as const;
