/** Writes log lines; what they hold says record-schema.ts, which loads zod and is left alone by what reads and writes. */
import type { z } from 'zod';
import type { body, head, recordSchema } from './record-schema.ts';

export const RECORD_VERSION = 1;

export const OUTCOMES = ['success', 'error', 'truncated', 'client_abort'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export type RecordHead = z.infer<typeof head>;

/** A record as the pipeline makes it: `request` and `response` are JSON text, spliced into the line as they are. */
export type LogRecord = RecordHead &
  Omit<z.infer<typeof body>, 'request' | 'response'> & { request?: string; response?: string };

/** A record as a reader gets it: `request` and `response` are parsed. */
export type ReadRecord = z.infer<typeof recordSchema>;

/** JSON text on one line: pretty-printed bodies are packed. @throws SyntaxError when such a text is no JSON */
export function oneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? JSON.stringify(JSON.parse(json)) : json;
}

type Charged = Pick<LogRecord, 'input_tokens' | 'output_tokens' | 'cost' | 'estimate' | 'failed'>;

/**
 * What a request is charged for: what the provider told, or an estimate where it did not tell all; and what attempts that failed
 * have told. The cost is in USD, `null` where the price of some of it is unknown.
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
  // What has used nothing costs nothing.
  const known = own.input + own.output === 0 ? (cost ?? 0) : cost;
  return {
    input: own.input + failed.input_tokens,
    output: own.output + failed.output_tokens,
    cost: known === null || failed.cost === null ? null : known + failed.cost,
  };
}

/** Whether a provider was asked: what cannot be said in its protocol is not sent. */
export function wasAsked(attempts: LogRecord['attempt_log']): boolean {
  return attempts.some(({ fault, status }) => status !== null || fault === null || !UNSENT.has(fault));
}

const UNSENT: ReadonlySet<string> = new Set(['invalid_request', 'unsupported']);

/** Bytes of a line beside its texts. */
const HEAD_BYTES = 1_000;
const ATTEMPT_BYTES = 100;

/**
 * About how much memory a record takes while it waits, and how long its line will be, bytes. Texts count one byte a
 * character: memory holds them with one or two, a line with up to three.
 */
export function estimatedSize(record: LogRecord): number {
  const { request, response, error, user_agent: agent, attempt_log: attempts } = record;
  const texts =
    (request?.length ?? 0) + (response?.length ?? 0) + (error?.length ?? 0) + (agent?.length ?? 0);
  const { feedback, parts, tags, units, session, passed } = record;
  const some = feedback || parts || tags || units || session || passed;
  const rare = some ? JSON.stringify([feedback, parts, tags, units, session, passed]).length : 0;
  return HEAD_BYTES + texts + rare + attempts.length * ATTEMPT_BYTES;
}
