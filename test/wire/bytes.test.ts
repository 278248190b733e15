import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { ProxyError } from '../../src/errors.ts';
import { Blocks } from '../../src/wire/bytes.ts';
import { lastEventEnd } from '../../src/wire/frames.ts';
import { retryAfterMs } from '../../src/wire/retry-after.ts';
import { atOnce } from '../../src/turns.ts';
import { findModel, modelEdit, splice } from '../../src/wire/splice.ts';
import { longestShare } from '../helpers/steps.ts';

/** The bytes of a JSON text. */
function bodyOf(text: string) {
  return new TextEncoder().encode(text);
}

const NOW = Date.parse('2026-11-23T09:00:00Z');

test('splice() changes the model and nothing else in any JSON object', () => {
  const field = fc.tuple(fc.string(), fc.json({ maxDepth: 3 }));
  const space = fc.constantFrom('', ' ', '\n\t', '  ');
  fc.assert(
    fc.property(
      fc.array(field),
      fc.nat(10),
      fc.string(),
      fc.string(),
      space,
      (fields, place, model, replacement, gap) => {
        const others = fields
          .filter(([key]) => key !== 'model')
          .map(([key, value]) => `${gap}${JSON.stringify(key)}${gap}:${gap}${value}${gap}`);
        const head = `${gap}"model"${gap}:${gap}`;
        const at = Math.min(place, others.length);
        const text = (name: string) =>
          `{${[...others.slice(0, at), head + JSON.stringify(name), ...others.slice(at)].join(',')}}`;
        const span = atOnce(findModel(bodyOf(text(model)), true));
        const bytes = new TextEncoder().encode(text(model));
        const spliced = atOnce(splice(bytes, [modelEdit(span!, replacement)]));
        expect(new TextDecoder().decode(spliced)).toBe(text(replacement));
      },
    ),
  );
});

test.each([
  '{"model":"a","model":"b"}',
  '{"model":"a","mod\\u0065l":"b"}',
  '{"x":{"model":1},"\\u006dodel":"a","model":"b"}',
  '{"model":"a","stream":true,"stream":false}',
  '{"stream":true,"model":"a","str\\u0065am":true}',
  '{"x":{"stream":1},"\\u0073\\u0074\\u0072\\u0065\\u0061\\u006d":true,"model":"b","stream":null}',
])('findModel() refuses a second model or stream in %s, in short and long bodies', (text) => {
  expect(() => atOnce(findModel(bodyOf(text), true))).toThrow(ProxyError);
  const long = text.replace('{', `{"long":"${'"model" '.replaceAll('"', String.raw`\"`).repeat(3_000)}",`);
  expect(() => atOnce(findModel(bodyOf(long), true))).toThrow('is given twice');
  const longer = `${text.slice(0, -1)},"long":"${'x'.repeat(9 * 1024 * 1024)}"}`;
  expect(() => atOnce(findModel(bodyOf(longer), false))).toThrow('is given twice');
});

test.each([
  '{"model":"a","stream":true,"x":{"stream":1,"model":2},"y":["stream","model","stream"]}',
  '{"x":{"str\\u0065am":1,"\\u006dodel":1},"model":"a"}',
  '{"stream_options":{},"stream":true,"models":["a"],"model":"a"}',
])('findModel() ignores nested and similar names: %s', (text) => {
  const long = text.replace('{', `{"long":"${'x'.repeat(9 * 1024 * 1024)}",`);
  for (const each of [text, long]) {
    const span = atOnce(findModel(bodyOf(each), true))!;
    expect(each.slice(span.start, span.end)).toBe('"a"');
  }
});

const BACKSLASHES = String.raw`\\`.repeat(6_000_000);
test.each([
  ['backslashes', `{"x":{"model":1},"y":"${BACKSLASHES}","model":"a"}`],
  [
    'white space after a key',
    `{"x":{"model":1},"model"${' '.repeat(6_000_000)}:${' '.repeat(6_000_000)}"a"}`,
  ],
  ['quotes', `{"x":{"model":1},"y":"${String.raw`\"`.repeat(6_000_000)}","model":"a"}`],
  ['starts of the key', `{"x":"${String.raw`\"mode`.repeat(8_000_000)}","model":"a"}`],
  [
    'starts of the key in text with two-byte characters',
    `{"x":"語${String.raw`\"mode`.repeat(8_000_000)}","model":"a"}`,
  ],
])('findModel() works in small steps on %s', (_, text) => {
  const body = bodyOf(text);
  expect(longestShare(() => findModel(body, true))).toBeLessThan(1 / 2);
});

test('lastEventEnd() returns the end of the last blank line, for every kind of line end', () => {
  for (const [text, end] of [
    ['', 0],
    ['data: a\n', 0],
    ['data: a\n\n', 9],
    ['data: a\r\n\r\n', 11],
    ['data: a\r\r', 9],
    ['data: a\n\ndata: b', 9],
    ['data: a\n\ndata: b\n', 9],
  ] as const) {
    expect(lastEventEnd(new TextEncoder().encode(text))).toBe(end);
  }
});

test.each([
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '1.5' }, 1_500],
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'retry-after-ms': '0', 'retry-after': '1' }, 1_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 09:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 08:00:00 GMT' }, 0],
  // The obsolete forms of dates, which recipients must accept, and headers that were repeated.
  [{ 'retry-after': 'Monday, 23-Nov-26 09:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Monday, 23-Nov-77 09:00:30 GMT' }, 0],
  [{ 'retry-after': 'Mon Nov 23 09:00:30 2026' }, 30_000],
  [{ 'retry-after': 'Thu Dec  3 09:00:30 2026' }, 86_400_000],
  [{ 'retry-after': '2, 5' }, 5_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 09:00:30 GMT, Mon, 23 Nov 2026 09:00:20 GMT' }, 30_000],
  [{ 'retry-after': 'Monday, 23-Nov-26 09:00:30 GMT, 5' }, 30_000],
  [{ 'retry-after-ms': '250, 300', 'retry-after': '0' }, 300],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '9999999' }, 86_400_000],
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '120ms' }, 120],
  [{ 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': '17.4s' }, undefined],
  [
    {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-23T09:00:07Z',
    },
    7_000,
  ],
])('retryAfterMs(%j) is %p', (headers, ms) => {
  expect(retryAfterMs(new Headers(headers as Record<string, string>), undefined, NOW)).toBe(ms as number);
});

test('retryAfterMs() reads Gemini’s RetryInfo and the wait in an error message', () => {
  const gemini = '{"error":{"details":[{"@type":"x"},{"retryDelay":"48s"}]}}';
  expect(retryAfterMs(new Headers(), gemini, NOW)).toBe(48_000);
  expect(retryAfterMs(new Headers(), '{"error":{"message":"Please try again in 1.5s."}}', NOW)).toBe(1_500);
});

test('splice() keeps a byte order mark and the characters before the model', () => {
  const text = '{"é":"\u{1f600}","model":"a","x":"ü"}';
  const bytes = Uint8Array.from(Buffer.from(`\ufeff${text}`));
  const span = atOnce(findModel(bytes, true));
  const spliced = atOnce(splice(bytes, [modelEdit(span!, 'b')]));
  expect(Buffer.from(spliced).toString()).toBe(`\ufeff${text.replace('"a"', '"b"')}`);
});

test('findModel() ignores a nested model if there is no other', () => {
  expect(atOnce(findModel(bodyOf('{"x":{"model":"a"}}'), false))).toBeUndefined();
});

test('Blocks returns the bytes that were added, for pieces of any size', () => {
  const size = fc.oneof(fc.nat(10), fc.integer({ min: 4_090, max: 4_100 }), fc.nat(200_000));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
      const blocks = new Blocks();
      const pieces = sizes.map((length, at) => new Uint8Array(length).fill(at + 1));
      for (const piece of pieces) blocks.add(piece);
      const whole = Buffer.concat(pieces);
      expect(blocks.length).toBe(whole.length);
      expect(Buffer.compare(atOnce(blocks.whole()), whole)).toBe(0);
    }),
  );
});

test('Blocks uses no more memory than its bytes, even for a million single bytes between larger pieces', () => {
  const one = new Uint8Array(1);
  const larger = new Uint8Array(4_096);
  const before = process.memoryUsage().arrayBuffers;
  const blocks = new Blocks();
  for (let at = 0; at < 1_000_000; at += 1) blocks.add(at % 50_000 === 0 ? larger : one);
  Bun.gc(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 ** 2);
  expect(atOnce(blocks.whole()).length).toBe(blocks.length);
});
