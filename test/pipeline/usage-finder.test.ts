import { describe, expect, test } from 'bun:test';
import { UsageFinder } from '../../src/pipeline/streams/usage-finder.ts';
import type { Usage } from '../../src/wire/usage.ts';

const usage = { input_tokens: 100, output_tokens: 1_000, input_tokens_details: { image_tokens: 60 } };
const filler = 'x'.repeat(70_000);
const whole = JSON.stringify({ data: [{ b64_json: filler }], usage });
const stream = `data: ${JSON.stringify({ b64_json: filler })}\n\ndata: ${JSON.stringify({ type: 'done', usage })}\n\n`;

function metered(text: string, cuts: readonly number[]): Usage {
  const meter = new UsageFinder('images.generations', { images: 1 });
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  for (const to of [...cuts, bytes.length]) meter.push(bytes.subarray(from, (from = to)));
  return meter.usage;
}

describe('UsageFinder', () => {
  const expected = { input: 100, output: 1_000, inputImage: 60, outputImage: 1_000, images: 1 };

  test.each([
    ['a long answer', whole],
    ['a stream', stream],
  ])('finds the usage of %s, cut at any position', (_, text) => {
    const at = text.indexOf('"usage"');
    expect(metered(text, [])).toMatchObject(expected);
    for (let cut = at - 2; cut < text.length; cut += 1) {
      expect(metered(text, [cut])).toMatchObject(expected);
      expect(metered(text, [cut - 1, cut])).toMatchObject(expected);
    }
    const each = Array.from({ length: text.length - at }, (__, index) => at + index);
    expect(metered(text, each)).toMatchObject(expected);
  });

  test.each([
    ['text that looks like usage', `{"text":"${filler} \\"usage\\": {\\"input_tokens\\": 9}"}`],
    ['a value that is not an object', `{"data":"${filler}","usage": "much"}`],
    ['an object without an end', `{"data":"${filler}","usage":{"input_tokens":9,${' '.repeat(9_000)}`],
    ['nothing', ''],
  ])('finds no usage in %s', (_, text) => {
    expect(metered(text, [])).toEqual({
      input: 0,
      cached: 0,
      cacheWrite: 0,
      output: 0,
      reasoning: 0,
      untold: true,
      images: 1,
    });
  });
});
