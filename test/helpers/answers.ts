/** Random answers, unstreamed and streamed, for properties that every answer must have. */
import fc from 'fast-check';
import type { ChatChunk, ChatDelta, ChatResponse } from '../../src/wire/chat.ts';
import { encodeOpenaiUsage } from '../../src/wire/usage.ts';
import { cutAt } from '../properties/cuts.ts';

/** Some text. */
export const said = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
/** A tool name or an id. */
export const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
/** A JSON object, after a round trip through JSON text, which has no -0. */
export const object = fc
  .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 3,
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as typeof value);

/** Reasoning that must be sent back to the provider. No provider uses an id twice. */
export const thoughts = fc.uniqueArray(
  fc.oneof(
    fc.record({ type: fc.constant('thinking'), thinking: fc.string({ maxLength: 20 }), signature: said }),
    fc.record({ type: fc.constant('redacted_thinking'), data: said }),
    fc.record({
      type: fc.constant('encrypted'),
      id: name,
      summary: fc.constant([]),
      encrypted_content: said,
    }),
  ),
  {
    maxLength: 3,
    comparator: (a, b) => a !== undefined && a === b,
    selector: (block) => (block.type === 'encrypted' ? block.id : undefined),
  },
);

interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

const calls: fc.Arbitrary<Call[]> = fc.uniqueArray(
  fc.record({
    id: name,
    name,
    arguments: fc.oneof(
      object.map((value) => JSON.stringify(value)),
      object.map((value) => JSON.stringify(value, null, 2)),
      fc.constant(''),
    ),
  }),
  { maxLength: 3, selector: ({ id }) => id },
);

const count = fc.nat(1_000);
const usage = fc
  .tuple(count, count, count, count)
  .map(([plain, cached, cacheWrite, reasoning]) =>
    encodeOpenaiUsage({ input: plain + cached + cacheWrite, cached, cacheWrite, output: 1_000, reasoning }),
  );

/** The content of an answer, whatever its protocol. */
export const answers = fc.record({
  blocks: thoughts,
  unsigned: fc.string({ maxLength: 20 }),
  content: fc.option(fc.string({ unit: 'grapheme', maxLength: 30 })),
  refusal: fc.option(said, { freq: 8 }),
  calls,
  finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter'),
  sequence: fc.option(fc.constantFrom('END', 'other'), { nil: undefined }),
  usage: fc.option(usage, { nil: undefined }),
});
export type Answer = typeof answers extends fc.Arbitrary<infer T> ? T : never;

/** The reasoning as text. */
export const reasoningOf = ({ blocks, unsigned }: Answer) => {
  const signed = blocks.flatMap((block) => ('thinking' in block ? [block.thinking] : []));
  return signed.length > 0 ? signed.join('') : unsigned;
};

/** The answer as an unstreamed response. */
export function whole(answer: Answer): ChatResponse {
  const { blocks, content, refusal, finish, sequence } = answer;
  const reasoning = reasoningOf(answer);
  const message = {
    role: 'assistant',
    content,
    refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(blocks.length > 0 ? { thinking_blocks: blocks } : {}),
    ...(answer.calls.length > 0
      ? { tool_calls: answer.calls.map(({ id, ...fn }) => ({ id, type: 'function', function: fn })) }
      : {}),
  };
  const choice = { index: 0, message, finish_reason: finish, ...(sequence ? { stop_reason: sequence } : {}) };
  const top = { id: 'c', object: 'chat.completion' as const, created: 1, model: 'm' };
  return { ...top, choices: [choice], ...(answer.usage ? { usage: answer.usage } : {}) };
}

/** The deltas of the calls, which start in order, with their arguments in pieces that may be interleaved. */
function callDeltas(list: readonly Call[], places: readonly number[], mixed: boolean): ChatDelta[] {
  const queues = list.map(({ id, name, arguments: text }, index) =>
    cutAt(text, places).map((piece, n) => ({
      index,
      ...(n === 0 ? { id, type: 'function' as const } : {}),
      function: { ...(n === 0 ? { name } : {}), arguments: piece },
    })),
  );
  const longest = Math.max(0, ...queues.map(({ length }) => length));
  const rows = Array.from({ length: longest }, (_, n) => queues.flatMap((queue) => queue[n] ?? []));
  return (mixed ? rows.flat() : queues.flat()).map((call) => ({ tool_calls: [call] }));
}

/**
 * The answer as a stream of chunks.
 * @param mixed whether pieces of different calls are interleaved @param late whether the usage comes with the finish
 * reason
 */
export function chunksOf(
  answer: Answer,
  places: readonly number[],
  mixed: boolean,
  late: boolean,
): ChatChunk[] {
  const { blocks, unsigned, content, refusal, finish, sequence } = answer;
  const spoken = blocks.some(({ type }) => type === 'thinking') ? '' : unsigned;
  const deltas: ChatDelta[] = [
    { role: 'assistant', content: '' },
    ...cutAt(spoken, places).map((piece) => ({ reasoning_content: piece })),
    ...blocks.flatMap((block) => [
      ...('thinking' in block ? cutAt(block.thinking, places) : []).map((piece) => ({
        reasoning_content: piece,
      })),
      { thinking_blocks: [block] },
    ]),
    ...cutAt(content ?? '', places).map((piece) => ({ content: piece })),
    ...cutAt(refusal ?? '', places).map((piece) => ({ refusal: piece })),
    ...callDeltas(answer.calls, places, mixed),
  ];
  const top = { id: 'c', object: 'chat.completion.chunk' as const, created: 1, model: 'm' };
  const chunks: ChatChunk[] = deltas.map((delta) => ({
    ...top,
    choices: [{ index: 0, delta, finish_reason: null }],
  }));
  const end = { index: 0, delta: {}, finish_reason: finish, ...(sequence ? { stop_reason: sequence } : {}) };
  // Some servers put the usage beside the finish reason.
  if (late) return [...chunks, { ...top, choices: [end], usage: answer.usage ?? null }];
  const last = answer.usage ? [{ ...top, choices: [], usage: answer.usage }] : [];
  return [...chunks, { ...top, choices: [end] }, ...last];
}
