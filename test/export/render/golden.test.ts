/** The rows of the same conversations in every format. UPDATE_GOLDEN=1 rewrites the files: review the diff. */
import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RejectReason } from '../../../src/export/errors.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { CONVERSATIONS } from './conversations.ts';
import { written } from './render.ts';

interface Golden {
  readonly conversation: string;
  readonly rows?: readonly JsonObject[];
  readonly unfit?: RejectReason;
}

describe.each(EXPORT_FORMATS)('%s', (name) => {
  const path = join(import.meta.dir, 'golden', `${name}.jsonl`);
  const made = Object.entries(CONVERSATIONS).map(([conversation, example]): Golden => {
    const rows = written(FORMATS[name], example);
    return typeof rows === 'string' ? { conversation, unfit: rows } : { conversation, rows };
  });
  if (process.env.UPDATE_GOLDEN)
    writeFileSync(path, made.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const golden = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Golden);

  test('has rows for every conversation', () => {
    expect(golden.map(({ conversation }) => conversation)).toEqual(Object.keys(CONVERSATIONS));
  });

  test.each(golden.map((line) => [line.conversation, line] as const))('%s', (conversation, line) => {
    expect(made.find((one) => one.conversation === conversation)).toEqual(line);
  });

  test('passes its own check', () => {
    const problems = golden.flatMap(({ conversation, rows }) =>
      (rows ?? []).flatMap((row) => FORMATS[name].check(row).map((problem) => `${conversation}: ${problem}`)),
    );
    expect(problems).toEqual([]);
  });
});
