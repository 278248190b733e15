import fc from 'fast-check';
import type { SseEvent } from '../../src/wire/sse.ts';
import { SseReader } from '../../src/wire/sse.ts';

/** One block of a stream, including its blank line, and its event, unless it is a comment or has no data. */
export interface Block {
  readonly text: string;
  readonly event: SseEvent | undefined;
}

export type LineEnd = '\n' | '\r\n' | '\r';

export const lineEnds = fc.constantFrom<LineEnd>('\n', '\r\n', '\r');

/** Text of one line: characters that do not end it, including some of more than one byte. */
const unit = fc.constantFrom(
  ...'a : {"}[],'.split(''),
  'é',
  '漢',
  '👋🏽',
  '\u2028',
  '\u0085',
  '\ufeff',
  'data: ',
);
export const lineText = fc.string({ unit, maxLength: 8 });

/** Joins lines into one block. */
export function block(lines: readonly string[], end: LineEnd, event?: SseEvent): Block {
  return { text: [...lines, '', ''].join(end), event };
}

const field = fc.constantFrom('id: 7', 'retry: 10', ': hi', ':', 'unknown: x', 'unknown');

/** Any block that the specification allows, with the same line end throughout. */
export const blocks: fc.Arbitrary<Block> = fc
  .record({
    data: fc.array(fc.tuple(lineText, fc.boolean()), { maxLength: 3 }),
    name: fc.option(fc.constantFrom('ping', 'content_block_delta'), { nil: undefined }),
    others: fc.array(field, { maxLength: 2 }),
    end: lineEnds,
    blank: fc.boolean(),
  })
  .filter(({ data, name, others }) => data.length > 0 || name !== undefined || others.length > 0)
  .map(({ data, name, others, end, blank }) => {
    // One space after the colon is not part of the data.
    const lines = data.map(([text, tight]) =>
      tight && !text.startsWith(' ') ? `data:${text}` : `data: ${text}`,
    );
    const named = name === undefined ? [] : [`event: ${name}`];
    const event = data.length > 0 ? { event: name, data: data.map(([text]) => text).join('\n') } : undefined;
    const all = [...others.slice(0, 1), ...named, ...lines, ...others.slice(1)];
    return block(blank ? [...all, ''] : all, end, event);
  });

export interface Stream {
  readonly bytes: Uint8Array;
  readonly events: readonly SseEvent[];
}

/** Blocks as the bytes of one stream. @param bom whether it begins with a byte order mark */
export function streamOf(list: readonly Block[], bom = false): Stream {
  const text = list.map((each) => each.text).join('');
  return {
    bytes: new TextEncoder().encode(bom ? `\ufeff${text}` : text),
    events: list.flatMap(({ event }) => event ?? []),
  };
}

export const streams = (maxLength = 6): fc.Arbitrary<Stream> =>
  fc.tuple(fc.array(blocks, { maxLength }), fc.boolean()).map(([list, bom]) => streamOf(list, bom));

/** The events in these pieces. @param ended whether the stream ends with them */
export function read(pieces: readonly Uint8Array[], ended = true): SseEvent[] {
  const reader = new SseReader();
  const events = pieces.flatMap((piece) => reader.push(piece));
  return ended ? [...events, ...reader.end()] : events;
}
