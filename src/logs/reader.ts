/**
 * Reads request logs line by line in constant memory. Damage is reported; it never throws, and lines are never joined.
 */
import { isUtf8 } from 'node:buffer';
import { isObject } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { readBlocks } from './blocks.ts';
import type { BlockOptions } from './source.ts';
import { DamagedInput } from './unpacked.ts';
import { LINE_START } from './head.ts';
import type { LogInput } from './input.ts';
import { LineSplitter } from './lines.ts';
import type { LogLine } from './lines.ts';

/** The possible defects of a line, in words. */
export const LINE_PROBLEMS = {
  incomplete: 'the last line is unfinished: the file is still being written or was truncated',
  too_long: 'longer than 128 MiB',
  binary: 'contains NUL bytes, as after a system crash',
  not_utf8: 'is not UTF-8',
  not_json: 'is not a JSON object',
  not_a_record: 'is a JSON object, but not a log record of a known kind',
  damaged_file: 'the compressed file is damaged or truncated from here on',
} as const;

export type LineProblem = keyof typeof LINE_PROBLEMS;

export const MAX_LINE_BYTES = 128 * 1024 ** 2;

export interface ReadOptions extends BlockOptions {
  /** The longest line to keep; {@link MAX_LINE_BYTES} by default. */
  readonly maxLineBytes?: number;
}

/** Several lines of one input. */
export interface LineBatch {
  readonly input: LogInput;
  readonly lines: readonly LogLine[];
  /** The line number at which damaged compressed data ends the input. */
  readonly damagedAt?: number;
}

/**
 * Reads the inputs one after another. The bytes of a batch are valid until the next one is requested.
 * @throws InputError when an input cannot be read; the signal's reason when it aborts
 */
export async function* readLines(
  inputs: readonly LogInput[],
  options: ReadOptions = {},
): AsyncGenerator<LineBatch> {
  for (const input of inputs) yield* readInput(input, options);
}

async function* readInput(input: LogInput, options: ReadOptions): AsyncGenerator<LineBatch> {
  const splitter = new LineSplitter(options.maxLineBytes ?? MAX_LINE_BYTES);
  try {
    for await (const block of readBlocks(input, options)) {
      const lines = splitter.push(block);
      if (lines.length > 0) yield { input, lines };
    }
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    // The line that was cut off belongs to the damaged part.
    yield { input, lines: [], damagedAt: splitter.lines + 1 };
    return;
  }
  const lines = splitter.end();
  if (lines.length > 0) yield { input, lines };
}

/** A parsed line: its object, or its defect, or both if a complete record follows a torn one. */
export interface ParsedLine {
  readonly value?: JsonObject;
  readonly problem?: LineProblem;
}

/** Parses a line. If a crash left two records in one line, the result is the second. */
export function parseLine(line: LogLine): ParsedLine {
  if (line.tooLong) return { problem: 'too_long' };
  const value = parseObject(line.bytes);
  if (value) return { value };
  if (!line.terminated) return { problem: 'incomplete' };
  const problem = problemOf(line.bytes);
  const last = line.bytes.lastIndexOf(LINE_START);
  return last > 0 ? { problem, value: parseObject(line.bytes.subarray(last)) } : { problem };
}

function parseObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch (error) {
    // RangeError: the JSON is nested too deeply for the parser.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function problemOf(bytes: Buffer): LineProblem {
  if (bytes.includes(0)) return 'binary';
  return isUtf8(bytes) ? 'not_json' : 'not_utf8';
}
