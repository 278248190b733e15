/** Scripts of answers that end in unusual ways. The argument is the provider's finish reason. */
import type { SpeakerName } from '../speakers.ts';
import type { ScriptedEnding } from '../scripted-endings.ts';
import type { Protocol } from './wire.ts';
import type { Script } from './scripts.ts';
import type { Turn } from './turn.ts';
import { textOf } from '../scripted-endings.ts';
import { ollamaText } from './ollama-wire.ts';
import { GAP_MS, half, otherHalf, pieces } from './scripts.ts';
import { USAGE } from './wire.ts';

const SPEAKERS: Readonly<Record<Exclude<Protocol, 'ollama'>, SpeakerName>> = {
  openai: 'chat',
  anthropic: 'messages',
  responses: 'responses',
  gemini: 'gemini',
};

/** The regular finish reasons of each protocol: for text, and for a call. */
const STOP: Readonly<Record<Protocol, string>> = {
  openai: 'stop',
  anthropic: 'end_turn',
  responses: 'completed',
  gemini: 'STOP',
  ollama: 'stop',
};
const CALLED: Readonly<Record<Protocol, string>> = { ...STOP, openai: 'tool_calls', anthropic: 'tool_use' };
/** The finish reason of an answer that reached the token limit. */
const LENGTH: Readonly<Record<Protocol, string>> = {
  openai: 'length',
  anthropic: 'max_tokens',
  responses: 'max_output_tokens',
  gemini: 'MAX_TOKENS',
  ollama: 'length',
};

function protocolOf({ attempt }: Turn): Protocol {
  return attempt.protocol === 'probe' ? 'openai' : attempt.protocol;
}

function text(turn: Turn, given: ScriptedEnding): string {
  const tale = { usage: USAGE, terminated: true, ...given };
  const protocol = protocolOf(turn);
  if (protocol !== 'ollama') return textOf(SPEAKERS[protocol], tale, turn.stream);
  return ollamaText({ model: turn.attempt.model, created_at: '2025-01-01T00:00:00Z' }, tale, turn.stream);
}

/** Sends a tale all at once. */
const tell =
  (taleOf: (turn: Turn) => ScriptedEnding): Script =>
  async (turn) => {
    const whole = text(turn, taleOf(turn));
    if (!turn.stream) return await turn.answer(200, whole);
    await turn.head();
    await turn.send(whole);
    await turn.end();
  };

/** Sends a tale piece by piece; the other side reads each before the next is sent. */
const tellSlowly =
  (piecesOf: (turn: Turn) => readonly string[]): Script =>
  async (turn) => {
    if (!turn.stream)
      return await tell(({ text: words }) => ({ pieces: [words], finish: STOP[protocolOf(turn)] }))(turn);
    await turn.head();
    for (const piece of piecesOf(turn)) {
      await turn.send(piece);
      await turn.sleep(GAP_MS);
    }
    await turn.end();
  };

const WEATHER = ['{"city":', '"Berlin"}'];

const chunk = (turn: Turn, choices: readonly object[], more: object = {}) => {
  const { model } = turn.attempt;
  const frame = { id: 'c-1', object: 'chat.completion.chunk', created: 1, model };
  return `data: ${JSON.stringify({ ...frame, choices, ...more })}\n\n`;
};
const call = (at: number) => ({
  index: at,
  id: `call_${at}`,
  type: 'function',
  function: { name: 'weather', arguments: WEATHER.join('') },
});
const USED = { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: 30 };
const said = (delta: object, finish: string | null = null) => [{ index: 0, delta, finish_reason: finish }];
const DONE = 'data: [DONE]\n\n';

/** Errors in shapes that are not the protocol's own, as gateways send them in the middle of a stream. */
export const STRANGE_ERRORS = [
  'event: error\ndata: {"code":"InternalError","message":"upstream died"}',
  'event: error\ndata: upstream died',
  'data: {"message":"upstream died"}',
  'data: {"detail":"upstream died"}',
  'data: {"detail":[{"msg":"upstream died"}]}',
  'data: {"errors":[{"message":"upstream died","code":500}]}',
  'data: [{"error":{"message":"upstream died","code":500}}]',
  'data: {"error_code":18,"error_msg":"upstream died"}',
  'data: {"statusCode":500,"message":"upstream died"}',
  'data: {"choices":null,"base_resp":{"status_code":1013,"status_msg":"upstream died"}}',
  'data: {"error":"upstream died"}',
  'data: {"object":"error","message":"upstream died"}',
  'data: {"type":"error","message":"upstream died"}',
  'data: {"type":"server_error","message":"upstream died"}',
  'data: {"type":"response.failed","response":{"error":{"code":"server_error","message":"upstream died"}}}',
  'data: {"choices":[{"index":0,"delta":{"content":""},"error":{"message":"upstream died"},"finish_reason":"stop"}]}',
] as const;

/** Sends half of the answer, then one of these errors, and then the end of a complete answer. */
const strangeError: Script = async (turn) => {
  await half(turn);
  if (!turn.stream) return await otherHalf(turn);
  await turn.send(`${STRANGE_ERRORS[Number(turn.argument)]}\n\n`);
  await turn.send(turn.wire.closing + turn.wire.terminator);
  await turn.end();
};

export const ENDING = {
  'strange-error': strangeError,
  /** Sends the complete text, and then the finish reason. */
  ends: tell((turn) => ({ pieces: pieces(turn.text), finish: turn.argument })),
  /** Sends nothing but the finish reason. */
  'ends-empty': tell((turn) => ({ finish: turn.argument })),
  /** Ends the stream without a finish reason. */
  'no-reason': tell((turn) =>
    turn.stream ? { pieces: pieces(turn.text) } : { pieces: [turn.text], finish: STOP[protocolOf(turn)] },
  ),
  /** Ends without a finish reason within the arguments of a call. */
  'no-reason-call': tell((turn) => ({
    pieces: ['Well. '],
    call: WEATHER.slice(0, 1),
    ...(turn.stream ? {} : { finish: CALLED[protocolOf(turn)] }),
  })),
  /** Ends without a finish reason after a complete call, as recorded from OpenRouter. */
  'no-reason-whole-call': tell((turn) => ({
    call: WEATHER,
    ...(turn.stream ? {} : { finish: CALLED[protocolOf(turn)] }),
  })),
  /** A call whose arguments are not valid JSON, in an answer that claims to be complete. */
  'broken-call': tell((turn) => ({ call: ['{"city":', 'Berlin'], finish: CALLED[protocolOf(turn)] })),
  /** A call that was cut at the token limit. */
  'cut-call': tell((turn) => ({ call: ['{"city":', '"Ber'], finish: LENGTH[protocolOf(turn)] })),
  /** Ends without a finish reason, streamed or not: after text, and within the arguments of a call. */
  untold: tell(({ text: words }) => ({ pieces: [words] })),
  'untold-call': tell(() => ({ call: ['{"city":', '"Ber'] })),
  /** Several calls, with the finish reason after the first of two. Chat only. */
  'early-call': tellSlowly((turn) => [
    chunk(turn, said({ role: 'assistant', tool_calls: [call(0)] }, 'tool_calls')),
    chunk(turn, said({ tool_calls: [call(1)] })),
    chunk(turn, said({}, 'tool_calls')) + chunk(turn, [], { usage: USED }) + DONE,
  ]),
  /** Text after the finish reason. Chat only. */
  'early-text': tellSlowly((turn) => [
    chunk(turn, said({ role: 'assistant', content: turn.text.slice(0, 40) }, 'stop')),
    chunk(turn, said({ content: turn.text.slice(40) })),
    chunk(turn, [], { usage: USED }) + DONE,
  ]),
  /** The usage comes 1.6 s after the finish reason. Chat only. */
  'late-usage': async (turn: Turn) => {
    if (!turn.stream) return await tell(({ text: words }) => ({ pieces: [words], finish: 'stop' }))(turn);
    await turn.head();
    await turn.send(
      chunk(turn, said({ role: 'assistant', content: turn.text })) + chunk(turn, said({}, 'stop')),
    );
    await turn.sleep(1_600);
    await turn.send(chunk(turn, [], { usage: USED }) + DONE);
    await turn.end();
  },
  /** One event of 9 MiB, as an image would have. */
  'big-event': tell((turn) => ({ pieces: ['x'.repeat(9 * 1024 ** 2)], finish: STOP[protocolOf(turn)] })),
} as const satisfies Record<string, Script>;
