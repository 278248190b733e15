import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { CheckSummary } from '../../../src/export/check/check.ts';
import { checkFiles } from '../../../src/export/check/check.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { says, workshop } from '../workshop.ts';

async function check(path: string, format: FormatName): Promise<CheckSummary & { said: string[] }> {
  const said: string[] = [];
  const summary = await checkFiles({
    inputs: [path],
    format: FORMATS[format],
    onViolation: ({ place, problem }) => said.push(`${place.slice(path.length)} ${problem}`),
  });
  return { ...summary, said };
}

const calls = line({
  request: chat([user('Look')], { tools: [tool('look')] }),
  response: answered({ content: null, tool_calls: [call('c1', 'look', '{"at":1}')] }, 'tool_calls'),
});

describe('checkFiles() of Parquet', () => {
  test.each(['', '--compress gz', '--compress zst'])('accepts what an export wrote: %p', async (flags) => {
    await using shop = await workshop({ 'a.ndjson': says('a') + calls + says('b') });
    const path = shop.path('rows.parquet');
    await shop.run(`-f trl --parquet --metadata min ${flags} -o ${path}`);
    const { rows, violations, said } = await check(path, 'trl');
    expect({ rows, violations, said }).toEqual({ rows: 3, violations: 0, said: [] });
  });

  test('reports the row that breaks a rule', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') + says('b') });
    const path = shop.path('rows.parquet');
    await shop.run(`-f trl --parquet -o ${path}`);
    const { rows, bad, said } = await check(path, 'kto');
    expect({ rows, bad }).toEqual({ rows: 2, bad: 2 });
    expect(said.filter((each) => each.startsWith(':1 ')).length).toBeGreaterThan(0);
    expect(said.filter((each) => each.startsWith(':2 ')).length).toBeGreaterThan(0);
  });

  test('reads files of other programs: 64-bit integers, and several row groups', async () => {
    await using shop = await workshop();
    const path = shop.path('other.parquet');
    const columnData = [
      { name: 'text', data: ['one', 'two', ' '] },
      { name: 'id', data: [1n, 2n, 3n], type: 'INT64' as const },
    ];
    writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 1 })));
    const { rows, bad, said } = await check(path, 'text');
    expect({ rows, bad }).toEqual({ rows: 3, bad: 3 });
    expect(said).toContain(':1 id: unknown key');
    expect(said).toContain(':3 text: is blank');
  });

  test('reports a damaged file', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    const path = shop.path('rows.parquet');
    await shop.run(`-f trl --parquet -o ${path}`);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 20));
    const { rows, violations, said } = await check(path, 'trl');
    expect([rows, violations]).toEqual([0, 1]);
    expect(said[0]).toStartWith(' is damaged after row 0: ');
  });

  test('reports a row that is nested too deep', async () => {
    await using shop = await workshop();
    const path = shop.path('rows.jsonl');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    writeFileSync(path, `{"text":"one"}\n{"text":"two","deep":${deep}}\n`);
    const { rows, said } = await check(path, 'text');
    expect(rows).toBe(2);
    expect(said).toEqual([':2 is nested too deep to be checked']);
  });
});
