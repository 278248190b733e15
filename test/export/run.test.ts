import { describe, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { Trouble } from '../../src/export/report/counters.ts';
import { chat, line, user } from './records.ts';
import { ExportError } from '../../src/export/errors.ts';
import { says, workshop } from './workshop.ts';

describe('runExport()', () => {
  test('writes a row for each conversation and counts the rest by reason', async () => {
    const log =
      says('a') +
      says('b', { ts: '2026-11-24T00:00:00.000Z' }) +
      says('c', { model: 'claude-sonnet' }) +
      says('d', { outcome: 'truncated' }) +
      says('e', { finish: 'length' }) +
      says('') +
      line({ endpoint: 'embeddings', finish: null }) +
      'torn\n{"some":"object"}\n\n' +
      says('f');
    await using shop = await workshop({ 'a.ndjson': log });
    const { report, files, bytesRead, ended } = await shop.run(
      '--successful-only --model-filter GPT --until 2026-11-23',
    );
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['a', 'f']);
    expect(report.filtered).toEqual({ date: 1, model: 1, unsuccessful: 1, unfinished: 1 });
    const place = (number: number) => ({ count: 1, places: [`${shop.path('logs/a.ndjson')}:${number}`] });
    expect(report.dropped).toEqual({ no_answer: place(6), not_a_conversation: place(7) });
    expect(report.bad).toEqual({ not_json: place(8), not_a_record: place(9) });
    expect([report.lines, report.kept, files, ended]).toEqual([10, 2, 1, undefined]);
    expect(bytesRead).toBe(Buffer.byteLength(log));
    expect(report.outputs[0]!.bytes).toBe(statSync(shop.output).size);
  });

  test('writes complete records, of any endpoint and of the Python program, with exportAll', async () => {
    const python = { timestamp: '2024-09-11T10:00:00Z', level: 'INFO', message: 'ok', extra_data: { x: 1 } };
    const proxy = line({
      endpoint: 'embeddings',
      finish: null,
      content: 'metadata',
      request: null,
      response: null,
    });
    await using shop = await workshop({ 'a.ndjson': `${proxy}${JSON.stringify(python)}\n` });
    await shop.run('--export-all');
    expect(readFileSync(shop.output, 'utf8')).toBe(`${proxy}${JSON.stringify(python)}\n`);
  });

  test('writes the first rows with --max-records, and stops there if nothing else must be known', async () => {
    const logs = { 'a.log.1': says('a'), 'a.log': says('') + says('b') + says('c') };
    await using shop = await workshop(logs);
    const all = await shop.run('--max-records 2');
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['a', 'b']);
    expect([all.report.kept, all.report.filtered.max_records, all.ended]).toEqual([2, 1, undefined]);
    const raw = await shop.run('--export-all --max-records 2 --force');
    expect([raw.report.kept, raw.ended]).toEqual([2, 'max_records']);
  });

  test('decides the same by the head of a line as by the parsed line', async () => {
    const spaced = (text: string) => text.replace('{"v":1,', '{ "v":1,');
    const all = [
      says('a'),
      says('b', { model: 'x' }),
      says('c', { outcome: 'error' }),
      says('d', { finish: null }),
    ];
    const filter = '--successful-only --model-filter gpt';
    await using fast = await workshop({ 'a.ndjson': all.join('') });
    await using slow = await workshop({ 'a.ndjson': all.map(spaced).join('') });
    const [first, second] = [await fast.run(filter), await slow.run(filter)];
    expect(first.report.filtered).toEqual(second.report.filtered);
    expect(fast.rows()).toEqual(slow.rows());
  });

  test('keeps a selected record after a truncated one that is not selected', async () => {
    await using shop = await workshop({
      'a.ndjson': says('a', { model: 'other' }).slice(0, 400) + says('b'),
    });
    const { report } = await shop.run('--model-filter gpt');
    expect([report.kept, report.bad.not_json?.count]).toEqual([1, 1]);
  });

  test('counts only valid token counts', async () => {
    const tokens = [5e9, -1, 0.5, 1e308, '7', 2 ** 31 - 1];
    const log = tokens.map((count, index) =>
      says(`a${index}`, { input_tokens: count, output_tokens: 2 ** 31 - 1 }),
    );
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    const { report } = await shop.run();
    expect([report.kept, report.tokens.rows, report.tokens.max]).toEqual([6, 1, 2 ** 32 - 2]);
  });

  test('reports the same position with threads if the last line has no line end yet', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') + says('b').trimEnd() });
    const bytes = async (threads: number) =>
      (await shop.run('--force', {}, threads)).report.inputs.map((input) => input.bytes);
    expect(await bytes(0)).toEqual([Buffer.byteLength(says('a'))]);
    expect(await bytes(1)).toEqual(await bytes(0));
  });

  test('reads compressed logs', async () => {
    await using shop = await workshop({
      'a.ndjson.zst': zstdCompressSync(Buffer.from(says('a').repeat(5_000))),
      'b.ndjson': says('b'),
    });
    const { report, files } = await shop.run('--dedup none');
    expect([report.kept, files]).toEqual([5_001, 2]);
  });

  test('writes only well-formed text', async () => {
    const half = '{"role":"user","content":"cut \\ud83d"}';
    const log = line({ request: chat([user('HERE')]) }).replace(JSON.stringify(user('HERE')), half);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run();
    expect(readFileSync(shop.output, 'utf8')).not.toContain('\\ud');
    expect(shop.rows()[0]!.messages[0]!.content).toBe('cut \ufffd');
  });

  test('keeps long integers, in arguments of any API, in datasets and in complete records', async () => {
    const id = '123456789012345678';
    const asked = { model: 'claude', max_tokens: 9, messages: [user('Look')] };
    const tools = [{ name: 'look', input_schema: { type: 'object' } }];
    const content = [{ type: 'tool_use', id: 't1', name: 'look', input: { id: 'ID' } }];
    const claude = line({
      endpoint: 'messages',
      finish: 'tool_use',
      request: { ...asked, tools },
      response: { type: 'message', role: 'assistant', content, stop_reason: 'tool_use' },
    });
    const called = {
      role: 'assistant',
      tool_calls: [{ function: { name: 'look', arguments: { id: 'ID' } } }],
    };
    const row = { messages: [user('Look'), called], tools: [{ name: 'look' }] };
    const log = `${claude}${JSON.stringify(row)}\n`.replaceAll('"ID"', id);
    await using shop = await workshop({ 'a.ndjson': log });
    for (const flags of ['-f trl', '-f openai', '-f gemini', '--export-all']) {
      const { report } = await shop.run(`${flags} --dedup none --force`);
      expect([flags, report.kept]).toEqual([flags, 2]);
      expect(readFileSync(shop.output, 'utf8').split(id)).toHaveLength(3);
    }
  });

  test('survives values that are nested too deep', async () => {
    const deep = '['.repeat(300_000) + ']'.repeat(300_000);
    const request = `{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"x":${deep}}}}]}`;
    const log = line({ request: chat([user('Hi')]) }).replace(
      /"request":\{.*?\]\}/,
      () => `"request":${request}`,
    );
    await using shop = await workshop({ 'a.ndjson': `${log}${says('b')}` });
    const { report } = await shop.run();
    const lost = (report.dropped.too_deep?.count ?? 0) + (report.bad.not_json?.count ?? 0);
    expect(report.kept + lost).toBe(2);
    expect(shop.rows().at(-1)!.messages.at(-1)!.content).toBe('b');
  });

  test('reports each bad line, each dropped record, and its progress', async () => {
    await using shop = await workshop({ 'a.ndjson': `${says('')}x\n${says('a')}` });
    const troubles: Trouble[] = [];
    let last = {};
    await shop.run('', {
      onTrouble: (trouble) => troubles.push(trouble),
      onProgress: (progress) => (last = progress),
    });
    expect(troubles.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
      'dropped no_answer',
      'bad not_json',
    ]);
    const size = statSync(shop.path('logs/a.ndjson')).size;
    expect(last).toEqual({ bytes: size, total: size, rows: 1, dropped: 2 });
  });
});

test.each([
  ['--where nope(', 'Cannot use --where'],
  ['--status abc', 'Cannot use --status abc: expected 200, 2xx or 400-499'],
])('runExport() reports what is wrong with %p in threads too', async (flags, words) => {
  await using shop = await workshop({ 'a.ndjson': says('a') });
  const failure = await shop.run(flags, {}, 2).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ExportError);
  expect(failure).toMatchObject({ kind: 'usage', message: expect.stringContaining(words) });
});

test('runExport() writes the same rows for all other lines, whatever happens to one', async () => {
  const lines = Array.from({ length: 5 }, (_, index) => says(`answer ${index}`));
  const spoiled = fc.oneof(
    fc.nat(800).map((length) => (text: string) => text.slice(0, length % text.length)),
    fc.tuple(fc.nat(5_000), fc.nat(255)).map(([at, byte]) => (text: string) => {
      const bytes = Buffer.from(text);
      bytes[at % (bytes.length - 1)] = byte === 10 ? 0 : byte;
      return bytes;
    }),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => () => Buffer.from(bytes.filter((byte) => byte !== 10))),
    fc.json().map((json) => () => JSON.stringify(JSON.parse(json))),
  );
  await using shop = await workshop();
  await fc.assert(
    fc.asyncProperty(fc.nat(4), spoiled, fc.boolean(), async (at, spoil, terminated) => {
      const bad = Buffer.from(spoil(lines[at]!.trimEnd()));
      // Without its newline, only the last line is separate.
      const pieces = lines.map((text, index) =>
        index === at
          ? Buffer.concat([bad, Buffer.from(terminated || at < 4 ? '\n' : '')])
          : Buffer.from(text),
      );
      writeFileSync(shop.path('logs/a.ndjson'), Buffer.concat(pieces));
      await shop.run('--force --model-filter gpt --successful-only');
      const answers = shop.rows().map(({ messages }) => messages.at(-1)!.content);
      const others = [0, 1, 2, 3, 4].filter((index) => index !== at).map((index) => `answer ${index}`);
      expect(answers.filter((answer) => others.includes(answer))).toEqual(others);
    }),
    { numRuns: 150 },
  );
});
