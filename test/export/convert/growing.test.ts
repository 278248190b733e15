import { describe, expect, test } from 'bun:test';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Converters } from '../../../src/export/convert/converters.ts';
import { Growing } from '../../../src/export/convert/growing.ts';
import { Inline } from '../../../src/export/convert/inline.ts';
import { parseFlags } from '../../../src/export/options/flags.ts';
import { resolveSettings } from '../../../src/export/options/settings.ts';
import { rangedFile } from '../../../src/logs/ranges.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { says } from '../workshop.ts';

const { plan } = resolveSettings({
  flags: parseFlags(['log.ndjson', '-f', 'trl', '-o', 'out.jsonl']),
  env: { values: {}, inputs: [] },
  terminal: false,
  nowMs: 0,
  argv: [],
});

/** A log of several ranges. */
async function rangesOfLog() {
  const dir = await logDirectory();
  const path = join(dir.path, 'log.ndjson');
  const words = 'many words '.repeat(2_000);
  writeFileSync(path, Array.from({ length: 600 }, (_, number) => says(`${number} ${words}`)).join(''));
  const { size } = statSync(path);
  const file = rangedFile({ name: path, path, bytes: size })!;
  const close = async () => {
    file.close();
    await dir[Symbol.asyncDispose]();
  };
  return { size, ranges: [...file.ranges], [Symbol.asyncDispose]: close };
}

type Ranges = Awaited<ReturnType<typeof rangesOfLog>>['ranges'];

/** The rows of each range, all requested at once. */
async function rowsOf(converters: Converters, ranges: Ranges): Promise<string[]> {
  const made = await Promise.all(ranges.map((range) => converters.convertRange!(range)));
  return made.map(({ batch }) => {
    const text = Buffer.from(batch.text).toString();
    converters.release(batch);
    return text;
  });
}

describe('Growing', () => {
  test('produces the same rows with threads that joined later as without any', async () => {
    await using log = await rangesOfLog();
    expect(log.ranges.length).toBeGreaterThan(3);
    const alone = await Inline.create(plan);
    const wanted = await rowsOf(alone, log.ranges);
    let bytesRead = 0;
    const work = { threads: 1, totalBytes: 1e15, bytesRead: () => bytesRead };
    const growing = new Growing(plan, await Inline.create(plan), work);
    expect(growing.window).toBe(alone.window);
    while (growing.window === alone.window) {
      bytesRead += log.size;
      expect(await rowsOf(growing, log.ranges)).toEqual(wanted);
    }
    expect(await rowsOf(growing, log.ranges)).toEqual(wanted);
    await growing.close();
  });

  test('starts no thread if nothing is left to read', async () => {
    await using log = await rangesOfLog();
    const work = { threads: 1, totalBytes: log.size, bytesRead: () => log.size };
    const growing = new Growing(plan, await Inline.create(plan), work);
    for (let round = 0; round < 5; round++) await rowsOf(growing, log.ranges);
    expect(growing.window).toBe(1);
    await growing.close();
  });
});
