/** Scripts of a provider that states when to retry: with a 429 in all the known forms, and with a 503. */
import type { Script } from './scripts.ts';

/** The argument is a number of seconds. */
const limited =
  (headers: (seconds: number) => Record<string, string>): Script =>
  (turn) =>
    turn.error('429', headers(Number(turn.argument || 1)));

export const LIMITED: Readonly<Record<string, Script>> = {
  '429-seconds': limited((seconds) => ({ 'retry-after': String(seconds) })),
  '429-ms': limited((seconds) => ({ 'retry-after-ms': String(seconds * 1_000) })),
  '429-date': limited((seconds) => ({ 'retry-after': inSeconds(seconds).toUTCString() })),
  '429-zero-ms': limited((seconds) => ({ 'retry-after-ms': '0', 'retry-after': String(seconds) })),
  '503-seconds': (turn) => turn.error('503', { 'retry-after': turn.argument || '1' }),
  '429-zero': limited(() => ({ 'retry-after': '0' })),
  '429-garbage': limited(() => ({ 'retry-after': 'soon' })),
  '429-reset': limited((seconds) => ({
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': `${seconds * 1_000}ms`,
    'x-ratelimit-remaining-tokens': '5000',
    'x-ratelimit-reset-tokens': '6m0s',
  })),
  '429-reset-date': limited((seconds) => ({
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': inSeconds(seconds).toISOString(),
  })),
  '429-retry-info': (turn) => {
    const retryDelay = `${turn.argument || 1}s`;
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }];
    const error = { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED', details };
    return turn.answer(429, JSON.stringify({ error }));
  },
};

/** A time at least this many seconds away, in whole seconds as HTTP dates are. */
function inSeconds(seconds: number): Date {
  return new Date(Math.ceil((Date.now() + seconds * 1_000) / 1_000) * 1_000);
}
