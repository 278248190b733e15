import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conversationOf } from '../../src/export/conversation/extract.ts';
import { entryOf } from '../../src/export/read/entry.ts';
import { parseFlags } from '../../src/export/options/flags.ts';
import { openaiFormat } from '../../src/export/render/openai.ts';
import type { ExportHooks } from '../../src/export/job.ts';
import { resolveSettings } from '../../src/export/options/settings.ts';
import { RejectError } from '../../src/export/errors.ts';
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
  const settings = (args: string, argv = args.split(' ').filter(Boolean)) => {
    const given = argv.some((arg) => arg === '-o') ? argv : [...argv, '-o', output];
    const flags = parseFlags(given);
    const inputs = flags.inputs.length > 0 ? flags.inputs : [path('logs')];
    const env = { values: {}, inputs: [] };
    const nowMs = Date.UTC(2026, 10, 25);
    return resolveSettings({ flags: { ...flags, inputs }, env, terminal: false, nowMs, argv: given });
  };
  return {
    path,
    output,
    /** Runs an export with these flags. */
    run: async (args = '', hooks?: ExportHooks, threads = 0) =>
      runExport({ ...settings(args), threads }, hooks),
    /** The same with arguments that contain spaces. */
    runWith: async (argv: string[]) => runExport({ ...settings('', argv), threads: 0 }),
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

/** The row of one log line as parsed JSON, or the reason why there is none. */
export function rowOf(exchange: Exchange): unknown {
  try {
    const entry = entryOf(JSON.parse(line(exchange)))!;
    const conversation = conversationOf(entry, {
      refusals: 'exclude',
      images: 'keep',
      providerTools: 'exclude',
    });
    const row = openaiFormat.render({ conversation }, { reasoning: 'drop', mergeTurns: false });
    return JSON.parse(JSON.stringify(row));
  } catch (error) {
    if (error instanceof RejectError) return error.reason;
    throw error;
  }
}
