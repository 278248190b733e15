/** One export: logs in, rows out, counts back. */
import { existsSync, realpathSync } from 'node:fs';
import { scanHead } from '../logs/head.ts';
import type { LogInput } from '../logs/input.ts';
import { findInputs } from '../logs/input.ts';
import type { LogLine } from '../logs/lines.ts';
import { maybeTorn, parseLine, readLines } from '../logs/reader.ts';
import { conversationOf } from './convert.ts';
import { entryOf } from './entry.ts';
import { ExportError } from './error.ts';
import type { Entry } from './facts.ts';
import { factsOf } from './facts.ts';
import { openaiRow } from './formats/openai.ts';
import { toLine } from './json.ts';
import type { Output } from './output.ts';
import { openOutput, OutputClosed } from './output.ts';
import { Unfit } from './reasons.ts';
import type { Selection } from './select.ts';
import { filterOf } from './select.ts';
import type { Trouble } from './tally.ts';
import { Tally } from './tally.ts';

export interface ExportOptions extends Selection {
  /** Files, directories, globs, `-`. */
  readonly inputs: readonly string[];
  /** A path, or `-` for standard output. */
  readonly output: string;
  /** Whether a file of that name is replaced. */
  readonly force: boolean;
  /** Stop after this many rows. */
  readonly maxRecords?: number;
  /** Whole records as they were parsed, instead of conversations. */
  readonly exportAll: boolean;
}

export interface ExportProgress {
  /** Bytes taken from the inputs as they are on disk. */
  readonly bytes: number;
  /** Of this many; `undefined` when a pipe is among them. */
  readonly total: number | undefined;
  readonly rows: number;
}

export interface ExportHooks {
  /** Aborting ends the export and leaves no file behind. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
  /** Told each bad line and each record that was unfit. */
  readonly onTrouble?: (trouble: Trouble) => void;
}

export interface ExportSummary {
  readonly tally: Tally;
  /** Bytes read from disk. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Reading ended early: enough rows, or the reader of the output left. */
  readonly ended?: 'max_records' | 'closed';
}

/**
 * Exports logs to rows of JSON, one a line.
 * @throws ExportError, InputError with a message for the user; the signal's reason when it aborts
 */
export async function runExport(options: ExportOptions, hooks: ExportHooks = {}): Promise<ExportSummary> {
  const output = openOutput(options.output, options.force);
  try {
    const inputs = await findInputs(options.inputs, options.output);
    refuseOverlap(inputs, options.output);
    const summary = await convert(inputs, output, options, hooks);
    const closed = summary.ended === 'closed' || !(await finished(output));
    if (closed) output.discard();
    return { ...summary, ...(closed ? { ended: 'closed' } : {}), bytesWritten: output.bytes };
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** Writes the rest; false when the reader of a pipe has left. */
async function finished(output: Output): Promise<boolean> {
  try {
    await output.finish();
    return true;
  } catch (error) {
    if (error instanceof OutputClosed) return false;
    throw error;
  }
}

async function convert(
  inputs: readonly LogInput[],
  output: Output,
  options: ExportOptions,
  hooks: ExportHooks,
): Promise<Omit<ExportSummary, 'bytesWritten'>> {
  const tally = new Tally(hooks.onTrouble);
  const total = totalBytes(inputs);
  let bytesRead = 0;
  const summary = (ended?: ExportSummary['ended']) => ({ tally, bytesRead, ...(ended ? { ended } : {}) });
  const onBytes = (bytes: number) => void (bytesRead += bytes);
  let current: LogInput | undefined;
  try {
    for await (const { input, lines, damagedAt } of readLines(inputs, { signal: hooks.signal, onBytes })) {
      if (input !== current) tally.files += 1;
      current = input;
      for (const line of lines) {
        exportLine(line, `${input.name}:${line.number}`, { tally, output, options });
        if (tally.rows === options.maxRecords) return summary('max_records');
      }
      if (damagedAt !== undefined) tally.spoil('damaged_file', `${input.name}:${damagedAt}`);
      await output.drain();
      hooks.onProgress?.({ bytes: bytesRead, total, rows: tally.rows });
    }
    return summary();
  } catch (error) {
    if (error instanceof OutputClosed) return summary('closed');
    throw error;
  }
}

interface Work {
  readonly tally: Tally;
  readonly output: Output;
  readonly options: ExportOptions;
}

function exportLine(line: LogLine, place: string, { tally, output, options }: Work): void {
  tally.lines += 1;
  // The head decides on most lines; only those that are wanted are parsed.
  const head = line.terminated ? scanHead(line.bytes) : undefined;
  const unwanted = head && filterOf(factsOf(head), options);
  if (unwanted && !maybeTorn(line.bytes)) return tally.filter(unwanted);
  const { value, problem } = parseLine(line);
  if (problem) tally.spoil(problem, place);
  if (!value) return;
  const entry = entryOf(value);
  if (!entry) return tally.spoil('not_a_record', place);
  const filter = filterOf(entry, options);
  if (filter) return tally.filter(filter);
  try {
    output.add(rowOf(entry, options));
    tally.rows += 1;
  } catch (error) {
    if (error instanceof Unfit) tally.drop(error.flaw, place);
    else if (error instanceof RangeError) tally.drop('too_deep', place);
    else throw error;
  }
}

function rowOf(entry: Entry, { exportAll }: ExportOptions): string {
  return toLine(exportAll ? entry.record : openaiRow(conversationOf(entry)));
}

function totalBytes(inputs: readonly LogInput[]): number | undefined {
  return inputs.every((input) => input.bytes !== undefined)
    ? inputs.reduce((sum, input) => sum + input.bytes!, 0)
    : undefined;
}

/** A file that is read and replaced at once would end as neither log nor dataset. */
function refuseOverlap(inputs: readonly LogInput[], output: string): void {
  if (output === '-') return;
  const same = inputs.find((input) => input.path !== '-' && realPath(input.path) === realPath(output));
  if (same) throw new ExportError('usage', `Cannot write ${output}: it is also the input`);
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}
