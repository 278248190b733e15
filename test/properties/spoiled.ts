/**
 * Lines of a log, complete and damaged in all the ways in which crashes, other programs and unusual clients damage
 * them.
 */
import fc from 'fast-check';
import { answered, chat, line, user } from '../export/records.ts';

/** A line in a damaged log. */
export interface Piece {
  /** The bytes without the line end. */
  readonly bytes: Buffer;
  /**
   * The line that the export should read: the line itself if it is complete, a complete one after a truncated one, or
   * none.
   */
  readonly worth?: Buffer;
  /** The possible reports of its damage, of which one is expected; omitted if it has none. */
  readonly said?: readonly string[];
}

const BROKEN = ['not_json', 'not_utf8', 'binary', 'not_a_record'];

const says = (number: number, more: object = {}) =>
  line({ id: `r${number}`, response: answered({ content: `Größe ${number} 🙂` }), ...more }).trimEnd();

/** A line that the export selects, of a record whose text has characters of one, two and four bytes. */
const wanted = fc.nat(500).map((number) => says(number));

const whole = (text: string | Buffer): Piece => {
  const bytes = Buffer.from(text);
  return { bytes, worth: bytes };
};

const broken = (bytes: Buffer, said = BROKEN): Piece => ({ bytes, said });

/** Inserts bytes into a text, after this share of its length. */
function inserted(text: string, share: number, bytes: Uint8Array): Buffer {
  const at = 1 + Math.floor(share * (Buffer.byteLength(text) - 2));
  const all = Buffer.from(text);
  return Buffer.concat([all.subarray(0, at), bytes, all.subarray(at)]);
}

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const head = fc
  .tuple(wanted, share)
  .map(([text, part]) => Buffer.from(text).subarray(0, 1 + Math.floor(part * (Buffer.byteLength(text) - 1))));
const tail = fc
  .tuple(wanted, share)
  .map(([text, part]) => Buffer.from(text).subarray(1 + Math.floor(part * (Buffer.byteLength(text) - 1))));

/** Values that may replace any number, text or list of a record. */
const odd = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '""',
    '-1',
    '0.5',
    '1e308',
    '1e400',
    '-1e400',
    '9007199254740993',
    '5000000000',
    '"\\ud83d"',
    '"\\udc00\\ud83d"',
    '"\\u0000"',
    '[]',
    '{}',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '[[[[{"a":[null]}]]]]',
  ),
  fc.integer({ min: 500, max: 3_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
);

const VALUE = /(?<=[:,[])(?:"(?:[^"\\]|\\.)*"(?!:)|-?\d[\d.e+-]*|null|true|false|\[\]|\{\})(?=[,\]}])/g;

/** A record with one value replaced by an odd one: still valid JSON, so the export must treat it as it does alone. */
const altered = fc.tuple(wanted, fc.nat(), odd).map(([text, pick, value]) => {
  const places = [...text.matchAll(VALUE)];
  const { index, 0: found } = places[pick % places.length]!;
  return whole(`${text.slice(0, index)}${value}${text.slice(index + found.length)}`);
});

const nested = (depth: number) => `${'{"a":['.repeat(depth)}${']}'.repeat(depth)}`;

/** The parser, the conversion or the writer may reject this depth, but for this line only. */
const deep = fc
  .tuple(wanted, fc.constantFrom(500, 5_000))
  .chain(([text, depth]) =>
    fc.constantFrom(
      nested(depth),
      text.replace('"messages":[{', `"messages":[{"x":${nested(depth)},`),
      text.replace(
        '"messages":',
        `"tools":[{"type":"function","function":{"name":"f","parameters":${nested(depth)}}}],"messages":`,
      ),
      text.replace(/"content":"G.*?"/, `"content":${nested(depth)}`),
    ),
  );

const sound = fc.oneof(
  { weight: 6, arbitrary: wanted.map(whole) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(500), fc.constantFrom({ model: 'claude' }, { outcome: 'error' }, { finish: 'length' }))
      .map(([number, more]) => whole(says(number, more))),
  },
  { weight: 1, arbitrary: fc.constant(whole(line({ response: answered({ content: '' }) }).trimEnd())) },
  { weight: 3, arbitrary: altered },
  { weight: 1, arbitrary: deep.map(whole) },
  // A duplicate key: the last one counts, and the row contains it once.
  {
    weight: 1,
    arbitrary: wanted.map((text) => whole(text.replace('"content":', '"content":"first","content":'))),
  },
);

const nul = (length: number) => Buffer.alloc(length);
const MARK = Buffer.from('\u{feff}');

const damaged = fc.oneof(
  head.map((bytes) => broken(bytes)),
  tail.map((bytes) => broken(bytes)),
  fc.tuple(head, wanted).map(([torn, text]) => ({
    ...broken(Buffer.concat([torn, Buffer.from(text)])),
    worth: Buffer.from(text),
  })),
  fc
    .tuple(wanted, wanted)
    .map(([first, text]) => ({ ...broken(Buffer.from(first + text)), worth: Buffer.from(text) })),
  fc.integer({ min: 1, max: 9_000 }).map((length) => broken(nul(length), ['binary'])),
  fc.tuple(fc.integer({ min: 1, max: 9_000 }), wanted).map(([length, text]) => ({
    ...broken(Buffer.concat([nul(length), Buffer.from(text)]), ['binary']),
    worth: Buffer.from(text),
  })),
  fc.tuple(wanted, share).map(([text, part]) => broken(inserted(text, part, nul(1)))),
  fc
    .tuple(wanted, share, fc.constantFrom([0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]))
    .map(([text, part, bytes]) => broken(inserted(text, part, Uint8Array.from(bytes)), ['not_utf8'])),
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) =>
    // Contains neither a line end nor the beginning of any JSON value.
    broken(Buffer.from([0xfe, ...bytes.filter((byte) => byte !== 10 && byte !== 13)])),
  ),
  fc
    .constantFrom('null', '1e999', '"text"', '[]', '{}', '{"v":1}', 'not json', ' ', '\u{feff}{}', '\u{feff}')
    .map((text) => broken(Buffer.from(text))),
);

/** Complete lines with harmless text around them. */
const dressed = wanted.map((text) => ({
  bytes: Buffer.concat([MARK, Buffer.from(text)]),
  worth: Buffer.from(text),
}));

export const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 4, arbitrary: sound },
  { weight: 5, arbitrary: damaged },
  { weight: 1, arbitrary: dressed },
  { weight: 1, arbitrary: fc.constant<Piece>({ bytes: Buffer.alloc(0) }) },
);

/** Lines of megabytes: a record, a truncated one, zeros, meaningless letters. Each is longer than a part of a file. */
export const longPieces: readonly Piece[] = [
  whole(line({ id: 'long', request: chat([user('x'.repeat(5_300_000))]) }).trimEnd()),
  broken(Buffer.from(line({ request: chat([user('y'.repeat(5_000_000))]) }).slice(0, 4_900_000))),
  broken(nul(5_100_000), ['binary']),
  broken(Buffer.alloc(6_000_000, 'z')),
];

export interface Log {
  readonly pieces: readonly Piece[];
  readonly end: '\n' | '\r\n';
  /** Whether the last line has a line end. */
  readonly ended: boolean;
}

export const log: fc.Arbitrary<Log> = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 14 }),
  end: fc.constantFrom('\n', '\r\n'),
  ended: fc.boolean(),
});

/** The bytes of the log's file. */
export function bytesOf({ pieces, end, ended }: Log): Buffer {
  const parts = pieces.flatMap(({ bytes }, index) =>
    ended || index < pieces.length - 1 ? [bytes, Buffer.from(end)] : [bytes],
  );
  return Buffer.concat(parts);
}

/** The pieces that count: a truncated line at the very end may still be being written, so nothing follows it. */
export function counted({ pieces, ended }: Log): readonly Piece[] {
  const last = pieces.at(-1);
  if (ended || !last?.said) return pieces;
  // A line that is a complete object needs no line end.
  const said = ['incomplete', 'not_a_record'];
  return [...pieces.slice(0, -1), { bytes: last.bytes, said }];
}
