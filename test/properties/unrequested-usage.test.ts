import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { LineEnd } from './events.ts';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { atOnce } from '../../src/turns.ts';
import { askingEdit, askingOptions } from '../../src/wire/openai/unrequested-usage.ts';
import { splice } from '../../src/wire/splice.ts';
import { folded } from '../helpers/steps.ts';
import { cutAt, cuts, together } from './cuts.ts';
import { block, lineEnds, streamOf } from './events.ts';

/** Members of a chunk beside its usage, some of which look like a usage. */
const others = fc.constantFrom(
  [],
  ['"service_tier":"default"'],
  ['"obfuscation":"\\"usage\\":null"'],
  ['"x_groq":{"usage":null}'],
  ['"x":[{"usage" : null},{"a":1,"usage":null}]', '"y":{"usage":3}'],
  ['"note":"data: {\\"usage\\":null}"', '"語":"漢👋🏽"'],
);
const content = fc.constantFrom('', 'Hi', ' 漢👋🏽', ',"usage":null', 'data: [DONE]\n\n', '{"usage":null}');
const member = fc.constantFrom('"usage":null', '"usage": null', '"usage" :null', '"usage" : null');
const commas = fc.constantFrom(',', ', ', ' , ');

interface Chunk {
  readonly members: readonly string[];
  /** The position of the null usage among them, and its spelling. */
  readonly place: number;
  readonly nothing: string;
  readonly comma: string;
}

const chunks: fc.Arbitrary<Chunk> = fc
  .tuple(content, others, fc.nat(5), member, commas)
  .map(([text, more, place, nothing, comma]) => {
    const choice = { index: 0, delta: { content: text }, finish_reason: null };
    return { members: ['"id":"c"', ...more, `"choices":[${JSON.stringify(choice)}]`], place, nothing, comma };
  });

/** A chunk as the provider sends it when usage is not requested. */
const plain = ({ members, comma }: Chunk) => `{${members.join(comma)}}`;

/** The same chunk when usage is requested: with the null usage, and its comma. */
function asked({ members, place, nothing, comma }: Chunk): string {
  const at = place % (members.length + 1);
  const before = members.slice(0, at).join(comma);
  const behind = members.slice(at).join(comma);
  // The comma before a member is removed with it, or the comma after it if it is the first.
  if (at === 0) return `{${nothing}, ${behind}}`;
  return `{${before} ,${nothing}${behind === '' ? '' : comma + behind}}`;
}

/** What remains of `asked` without the member: spaces before the comma are the provider's own. */
function left(chunk: Chunk): string {
  const { members, place, comma } = chunk;
  const at = place % (members.length + 1);
  if (at === 0) return plain(chunk);
  const behind = members.slice(at).join(comma);
  return `{${members.slice(0, at).join(comma)} ${behind === '' ? '' : comma + behind}}`;
}

const FINISH = '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';
const USAGE = '{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}';

function relayed(pieces: readonly Uint8Array[], hidesUsage: boolean): { tap: Tap; bytes: Buffer } {
  const passing = passingOf('chat');
  const tap = new Tap(passing, Infinity, 1);
  const fold = new RelayFold(tap, 'a/m', passing.terminator, hidesUsage);
  const got = [...pieces.map((piece) => folded(fold.push(piece))), folded(fold.end())];
  return { tap, bytes: Buffer.from(together(got)) };
}

describe('usage that the client did not request', () => {
  const written = (lines: readonly string[], end: LineEnd) =>
    streamOf(
      lines.map((data) => block([`data: ${data}`], end)),
      false,
    ).bytes;

  test('is removed from the stream, which is otherwise unchanged, and is still counted', () => {
    fc.assert(
      fc.property(fc.array(chunks, { maxLength: 6 }), lineEnds, cuts, (list, end, places) => {
        const bytes = written([...list.map(asked), FINISH, USAGE, '[DONE]'], end);
        const wanted = written([...list.map(left), FINISH, '[DONE]'], end);
        const { tap, bytes: got } = relayed(cutAt(bytes, places), true);
        // A cut within a CRLF leaves the LF of a removed event: another blank line, which has no meaning.
        const tidy = (each: Uint8Array) =>
          end === '\r\n'
            ? Buffer.from(each)
                .toString()
                .replaceAll(/[\r\n]+/g, '\n')
            : Buffer.from(each).toString();
        expect(tidy(got)).toBe(tidy(wanted));
        expect(tap).toMatchObject({ done: true, malformed: 0, usage: { input: 3, output: 4 } });
      }),
      { numRuns: 500 },
    );
  });

  test('stays if the client requested it', () => {
    fc.assert(
      fc.property(fc.array(chunks, { maxLength: 6 }), cuts, (list, places) => {
        const bytes = written([...list.map(asked), FINISH, USAGE, '[DONE]'], '\n');
        expect(relayed(cutAt(bytes, places), false).bytes).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('stays in a chunk with other content, or if its member spans two lines', () => {
    const said = FINISH.replace(/\}$/, ',"usage":{"prompt_tokens":3,"completion_tokens":4}}');
    const stream = (first: string) => new TextEncoder().encode(`${first}data: ${said}\n\ndata: [DONE]\n\n`);
    for (const bytes of [stream(''), stream('data: {"choices":[],\ndata: "usage":null}\n\n')]) {
      const { tap, bytes: got } = relayed([bytes], true);
      expect(got).toEqual(Buffer.from(bytes));
      expect(tap.usage).toMatchObject({ input: 3, output: 4 });
    }
  });
});

describe('a request to which the option for usage is added', () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const edited = (text: string, bytes = encode(text)): string | undefined => {
    const value = JSON.parse(text) as Record<string, unknown>;
    const options = askingOptions(value);
    const edit = options && atOnce(askingEdit(bytes, value, options));
    return edit && new TextDecoder('utf-8', { ignoreBOM: true }).decode(atOnce(splice(bytes, [edit])));
  };

  test('is the client’s own with stream_options inserted first, if the client sent none', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\r\n\t'), (json, blank) => {
        const text = `${blank}{"x": 12345678901234567890 ,"y":${json},"stream":true}`;
        const wanted = text.replace('{', '{"stream_options":{"include_usage":true},');
        expect(edited(text)).toBe(wanted);
        expect(edited(text, encode(`\ufeff${text}`))).toBe(`\ufeff${wanted}`);
      }),
    );
  });

  test.each([
    ['null', '{"include_usage":true}'],
    [' { } ', '{"include_usage":true}'],
    ['{"include_usage":false}', '{"include_usage":true}'],
    ['{"x":"}{\\"","include_usage" : null}', '{"x":"}{\\"","include_usage":true}'],
  ])('keeps its own options and adds usage to them: %s', (given, wanted) => {
    const text = (options: string) =>
      `{"y":{"stream_options":1},"z":"\\"stream_options\\":{}","stream_options":${options},"stream":true}`;
    expect(edited(text(given))).toBe(text(given.endsWith(' ') ? `${wanted} ` : wanted));
    const odd = text(given).replace(
      '"stream_options":' + given,
      String.raw`"stream_optio\u006es"` + `:${given}`,
    );
    expect(edited(odd)).toContain(String.raw`"stream_optio\u006es":` + wanted);
  });

  test.each([
    '{"stream_options":{"include_usage":true}}',
    '{"stream_options":"no"}',
    '{"stream_options":[]}',
    '{"stream_options":{},"stream_options":{}}',
  ])('stays unchanged: %s', (text) => {
    expect(edited(text)).toBeUndefined();
    expect(edited(text.replace(/.$/, `,"x":${text}}`))).toBeUndefined();
  });

  test('stays unchanged if its options are too long to be rewritten', () => {
    expect(edited(`{"stream_options":{"x":"${'x'.repeat(2_000)}"}}`)).toBeUndefined();
  });
});
