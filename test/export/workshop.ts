import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conversationOf } from '../../src/export/convert.ts';
import { entryOf } from '../../src/export/entry.ts';
import { openaiRow } from '../../src/export/formats/openai.ts';
import { Unfit } from '../../src/export/reasons.ts';
import type { ExportHooks, ExportOptions } from '../../src/export/run.ts';
import { runExport } from '../../src/export/run.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import type { Exchange } from './records.ts';
import { answered, line } from './records.ts';

/** A log directory and an export of it to out.jsonl. */
export async function workshop(files: Record<string, string | Uint8Array> = {}) {
  const dir = await logDirectory();
  const path = (name: string) => join(dir.path, name);
  mkdirSync(path('logs'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path(`logs/${name}`), text);
  const output = path('out/data.jsonl');
  const defaults: ExportOptions = {
    inputs: [path('logs')],
    output,
    force: false,
    exportAll: false,
    successfulOnly: false,
  };
  return {
    path,
    output,
    run: (options: Partial<ExportOptions> = {}, hooks?: ExportHooks) =>
      runExport({ ...defaults, ...options }, hooks),
    rows: () =>
      readFileSync(output, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((row) => JSON.parse(row) as { messages: { content: string }[] }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** A line whose answer is `content`. */
export const says = (content: string, more: object = {}) =>
  line({ response: answered({ content }), ...more });

/** The row of one log line as parsed JSON, or the name of the flaw. */
export function rowOf(exchange: Exchange): unknown {
  try {
    return JSON.parse(JSON.stringify(openaiRow(conversationOf(entryOf(JSON.parse(line(exchange)))!))));
  } catch (error) {
    if (error instanceof Unfit) return error.flaw;
    throw error;
  }
}
