/**
 * Writes log lines. Their schema is in record-schema.ts, which imports zod and is not loaded for reading or writing.
 */
import type { z } from 'zod';
import type { body, head, recordSchema } from './record-schema.ts';

export const RECORD_VERSION = 1;

export const OUTCOMES = ['success', 'error', 'truncated', 'client_abort'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export type RecordHead = z.infer<typeof head>;

/** A record as the pipeline produces it: `request` and `response` are JSON text, spliced into the line verbatim. */
export type LogRecord = RecordHead &
  Omit<z.infer<typeof body>, 'request' | 'response'> & { request?: string; response?: string };

/** A record as a reader receives it: `request` and `response` are parsed. */
export type ReadRecord = z.infer<typeof recordSchema>;

/**
 * JSON text on one line: pretty-printed bodies are compacted. @throws SyntaxError when such a text is not valid JSON
 */
export function oneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? JSON.stringify(JSON.parse(json)) : json;
}

type Charged = Pick<LogRecord, 'input_tokens' | 'output_tokens' | 'cost' | 'estimate' | 'failed'>;

/**
 * What a request is charged for: the usage that the provider reported, or an estimate where the report is incomplete,
 * plus the usage reported by failed attempts. The cost is in USD, `null` if the price of any part of it is unknown.
 */
export function chargedFor(record: Charged): {
  readonly input: number;
  readonly output: number;
  readonly cost: number | null;
} {
  const { input_tokens, output_tokens, cost } = record.estimate ?? record;
  const own = { input: input_tokens ?? 0, output: output_tokens ?? 0, cost };
  const { failed } = record;
  if (!failed) return own;
  // No usage costs nothing.
  const known = own.input + own.output === 0 ? (cost ?? 0) : cost;
  return {
    input: own.input + failed.input_tokens,
    output: own.output + failed.output_tokens,
    cost: known === null || failed.cost === null ? null : known + failed.cost,
  };
}

/** Whether a provider was called: a request that its protocol cannot express is not sent. */
export function wasSent(attempts: LogRecord['attempt_log']): boolean {
  return attempts.some(({ fault, status }) => status !== null || fault === null || !UNSENT.has(fault));
}

const UNSENT: ReadonlySet<string> = new Set(['invalid_request', 'unsupported']);

/** The size of a line without its texts, bytes. */
const HEAD_BYTES = 1_000;
const ATTEMPT_BYTES = 100;

/**
 * Roughly how much memory a record takes while it waits, and how long its line will be, bytes. Texts count as one byte
 * per character: memory holds one or two, a line up to three.
 */
export function estimatedSize(record: LogRecord): number {
  const { request, response, error, user_agent: agent, attempt_log: attempts } = record;
  const texts =
    (request?.length ?? 0) + (response?.length ?? 0) + (error?.length ?? 0) + (agent?.length ?? 0);
  const { feedback, parts, tags, units, iterations, session, passed } = record;
  const some = feedback || parts || tags || units || iterations || session || passed;
  const rare = some ? JSON.stringify([feedback, parts, tags, units, iterations, session, passed]).length : 0;
  return HEAD_BYTES + texts + rare + attempts.length * ATTEMPT_BYTES;
}
