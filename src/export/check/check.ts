/** Checks dataset files by the rules of a format: what a trainer would reject, silently drop, or train wrongly. */
import { existsSync, statSync } from 'node:fs';
import type { LogInput } from '../../logs/input.ts';
import type { LogLine } from '../../logs/lines.ts';
import type { Format } from '../render/format.ts';
import { findInputs } from '../../logs/input.ts';
import { LINE_PROBLEMS, parseLine, readLines } from '../../logs/reader.ts';
import { isObject } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { hidesSurrogates, isDeeper, MAX_ROW_DEPTH } from '../conversation/json.ts';
import { duplicateKey } from './keys.ts';
import { numberProblem } from './numbers.ts';

export interface Violation {
  /** "file:line", for Parquet "file:row", or the file for a problem of the whole. */
  readonly place: string;
  readonly problem: string;
}

export interface CheckOptions {
  readonly inputs: readonly string[];
  readonly format: Format;
  readonly signal?: AbortSignal;
  readonly onViolation: (violation: Violation) => void;
}

export interface CheckSummary {
  readonly files: number;
  readonly rows: number;
  /** The number of rows with a violation. */
  readonly bad: number;
  readonly violations: number;
}

/** @throws InputError when a file does not exist; the signal's reason when it aborts */
export async function checkFiles({
  inputs: named,
  format,
  signal,
  onViolation,
}: CheckOptions): Promise<CheckSummary> {
  const inputs = await findInputs(named);
  const total = { files: 0, rows: 0, bad: 0, violations: 0 };
  for (const input of inputs) {
    const { rows, bad, violations } = await checkFile(input, format, { signal, onViolation });
    total.files += 1;
    total.rows += rows;
    total.bad += bad;
    total.violations += violations;
  }
  return total;
}

type Watch = Pick<CheckOptions, 'signal' | 'onViolation'>;

async function checkFile(
  input: LogInput,
  format: Format,
  { signal, onViolation }: Watch,
): Promise<Omit<CheckSummary, 'files'>> {
  let [rows, bad, violations, bytes] = [0, 0, 0, 0];
  const tell = (place: string, problems: readonly string[]) => {
    for (const problem of problems) onViolation({ place, problem });
    violations += problems.length;
  };
  for await (const { place, size, problems } of await findingsOf(input, format, signal)) {
    if (size !== undefined) {
      rows += 1;
      bytes += size;
      if (problems.length > 0) bad += 1;
    }
    tell(place, problems);
  }
  if (rows > 0) tell(input.name, format.checkFile?.({ rows, bytes }) ?? []);
  else if (violations === 0) tell(input.name, ['the file is empty']);
  return { rows, bad, violations };
}

/** The problems at one place in a file. */
interface Finding {
  readonly place: string;
  /** The size of a row as a line, bytes; omitted if it is not a row. */
  readonly size?: number;
  readonly problems: readonly string[];
}

async function findingsOf(
  input: LogInput,
  format: Format,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Finding>> {
  if (!existsSync(input.path) || !statSync(input.path).isFile()) return lineFindings(input, format, signal);
  const { isParquet, parquetRows } = await import('./parquet.ts');
  return isParquet(input.path)
    ? parquetFindings(input.name, parquetRows(input.path), format, signal)
    : lineFindings(input, format, signal);
}

async function* lineFindings(
  input: LogInput,
  format: Format,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding> {
  for await (const { lines, damagedAt } of readLines([input], { signal })) {
    for (const line of lines)
      yield {
        place: `${input.name}:${line.number}`,
        size: line.bytes.length + 1,
        problems: problemsOf(line, format),
      };
    if (damagedAt !== undefined)
      yield { place: `${input.name}:${damagedAt}`, problems: [LINE_PROBLEMS.damaged_file] };
  }
}

/** Rows are numbered from 1, like lines. */
async function* parquetFindings(
  name: string,
  rows: AsyncIterable<JsonObject>,
  format: Format,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding> {
  let number = 0;
  try {
    for await (const row of rows) {
      signal?.throwIfAborted();
      number += 1;
      const problems = rowProblems(row, format);
      const size = problems.includes(TOO_DEEP) ? 0 : Buffer.byteLength(JSON.stringify(row)) + 1;
      yield { place: `${name}:${number}`, size, problems };
    }
  } catch (error) {
    signal?.throwIfAborted();
    yield { place: name, problems: [`is damaged after row ${number}:  ${(error as Error).message}`] };
  }
}

function problemsOf(line: LogLine, format: Format): string[] {
  // The last line of a dataset may lack its newline: what matters is whether it is complete.
  const { value, problem } = parseLine({ ...line, terminated: true });
  if (!value) return [LINE_PROBLEMS[problem!]];
  if (problem) return [LINE_PROBLEMS[problem]];
  const problems = rowProblems(value, format);
  const text = line.bytes.toString('utf8');
  const twice = duplicateKey(text);
  if (twice !== undefined) problems.push(`the key ${JSON.stringify(twice)} is given twice in one object`);
  const number = numberProblem(text);
  return number === undefined ? problems : [...problems, number];
}

const TOO_DEEP = 'is nested too deep to be checked';

function rowProblems(row: JsonObject, format: Format): string[] {
  try {
    const problems = format.check(row);
    if (isDeeper(row, MAX_ROW_DEPTH))
      problems.push(
        `is nested more than ${MAX_ROW_DEPTH} levels deep: Arrow, and therefore datasets, fails on the file`,
      );
    if (!isWellFormed(row))
      problems.push('holds half of a surrogate pair: datasets, DuckDB and jq reject the file');
    return problems;
  } catch (error) {
    if (error instanceof RangeError) return [TOO_DEEP];
    throw error;
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isWellFormed);
  return (
    !isObject(value) ||
    Object.entries(value).every(
      ([key, inner]) => key.isWellFormed() && isWellFormed(inner) && isParsedWellFormed(key, inner, value),
    )
  );
}

/** Keys whose text trainers parse as JSON: arguments, tool definitions, and ShareGPT's calls. */
const PARSED = new Set(['arguments', 'tools']);

/** JSON text within a row may contain lone surrogates that only appear when it is parsed. */
function isParsedWellFormed(key: string, value: unknown, { from }: JsonObject): boolean {
  const parsed = PARSED.has(key) || (key === 'value' && from === 'function_call');
  return !parsed || typeof value !== 'string' || !hidesSurrogates(value);
}
