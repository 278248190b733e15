/** Prints a line for each request to stderr. */
import type { Config } from '../../config/schema.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { JsonObject } from '../../wire/json.ts';
import { useColor } from '../output.ts';
import { widthOf } from '../wrap.ts';
import { attemptLines, detailsOf } from './attempt-lines.ts';
import { paintOf } from './paint.ts';
import { requestLine } from './request-line.ts';
import type { LineWriter } from './stderr.ts';
import { stderrLines } from './stderr.ts';
import { clockTime, endedMs, utcTime } from './times.ts';

/** The indentation of further lines about a request. */
const INDENT = ' '.repeat(4);

type Logging = Pick<Config['logging'], 'level' | 'format' | 'show_requests'>;

/** Receives each record. @param mask redacts the line */
export type RequestLog = (record: LogRecord, mask: (text: string) => string) => void;

/**
 * Reports the outcome of each request if wanted: on a terminal, at level debug, or if the configuration says so.
 * @param worker the number of this worker, from 1
 * @returns `undefined` when it is not wanted
 */
export function requestLog(
  { level, format, show_requests: when }: Logging,
  worker?: number,
  to: LineWriter = stderrLines,
): RequestLog | undefined {
  const { stderr } = process;
  const isTold = level === 'info' || level === 'debug';
  const isShown = when === 'always' || (when === 'auto' && (stderr.isTTY === true || level === 'debug'));
  if (!isTold || !isShown) return undefined;
  const say = (text: string) => to.write(text);
  const made = format === 'json' ? jsonLine(worker) : textLines(level === 'debug');
  return (record, mask) => {
    // A line that cannot be written need not be built.
    if (to.hasRoom) say(mask(made(record)));
    else to.drop();
  };
}

function textLines(isDetailed: boolean): (record: LogRecord) => string {
  const { stderr } = process;
  const paint = paintOf(useColor(stderr));
  const stamp = stderr.isTTY === true ? clockTime : utcTime;
  const time = (record: JsonObject) => stamp(endedMs(record));
  return (record) => {
    const fields: JsonObject = record;
    // A terminal may be resized.
    const line = requestLine(fields, { width: widthOf(stderr), paint, time });
    if (!isDetailed) return line;
    const details = detailsOf(fields).map(([word, value]) => `${word} ${value}`);
    return [line, ...attemptLines(fields, paint), details.join(' · ')].join(`\n${INDENT}`);
  };
}

/** The longest text in a line, characters: clients choose model names, and providers the text of errors. */
const MOST_TEXT = 300;
/** The most attempts in a line; the last ones if there are more. */
const MOST_ATTEMPTS = 8;

function short(text: string | null): string | null {
  return text === null || text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT).toWellFormed()}…`;
}

/** The size up to which a pipe takes a line atomically. */
function jsonLine(worker: number | undefined): (record: LogRecord) => string {
  const who = worker === undefined ? {} : { worker };
  return (record) =>
    JSON.stringify({
      ts: new Date().toISOString(),
      level: 'info',
      ...who,
      event: 'request',
      began: record.ts,
      id: short(record.id),
      outcome: record.outcome,
      status: record.status,
      endpoint: record.endpoint,
      key: short(record.key),
      model: short(record.model),
      provider: record.provider,
      upstream_model: short(record.upstream_model),
      input_tokens: record.input_tokens,
      output_tokens: record.output_tokens,
      cost: record.cost,
      latency_ms: record.latency_ms,
      first_content_ms: record.first_content_ms,
      fault: record.fault,
      error: short(record.error),
      attempts: record.attempt_log.slice(-MOST_ATTEMPTS),
    });
}
