/** Limits on requests per minute to a provider, or to one of its models. */
import { z } from 'zod';
import { count, onDemand } from '../words.ts';

/** More than any provider grants, and small enough for a number that processes share. */
const MOST = 1_000_000_000;

const aMinute = count.refine((value) => value > 0 && value <= MOST, `expected 1 to ${MOST}`);

const each = onDemand(() =>
  z
    .strictObject({
      requests: aMinute.optional().describe('Requests per minute.'),
      tokens: aMinute.optional().describe('Tokens per minute, input plus output.'),
    })
    .refine(
      ({ requests, tokens }) => (requests ?? tokens) !== undefined,
      'expected requests, tokens, or both',
    ),
);

/** A number of requests per minute, or `{requests, tokens}`. */
export const providerRate = z
  .union([aMinute, each], { error: 'expected requests a minute, or {requests, tokens}' })
  .transform((value): RateLimit => (typeof value === 'number' ? { requests: value } : value));

/** The limits for one minute. */
export interface RateLimit {
  readonly requests?: number | undefined;
  /** Input and output tokens together. */
  readonly tokens?: number | undefined;
}
