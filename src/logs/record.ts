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

/** What a request is charged for: what the provider told, or an estimate where it did not tell all. */
export function chargedFor({
  input_tokens: input,
  output_tokens: output,
  cost,
  estimate,
}: Pick<LogRecord, 'input_tokens' | 'output_tokens' | 'cost' | 'estimate'>): {
  readonly input: number;
  readonly output: number;
  /** USD, `null` where the price is unknown. */
  readonly cost: number | null;
} {
  if (estimate) return { input: estimate.input_tokens, output: estimate.output_tokens, cost: estimate.cost };
  return { input: input ?? 0, output: output ?? 0, cost };
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
