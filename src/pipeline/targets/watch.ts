/** Reports what is put on hold, and what is available again. */
import type { ProxyEvent } from '../../events.ts';
import type { ProxyError } from '../../errors.ts';
import type { Hold, OnHold } from './cooldown.ts';

/** What a cooldown applies to. */
export type HoldScope =
  /** All models of a provider that cannot be reached. */
  | { readonly scope: 'provider'; readonly name: string }
  | { readonly scope: 'target'; readonly name: string }
  | { readonly scope: 'endpoint'; readonly name: string; readonly endpoint: string }
  /** A key that its provider rejects, by index, and the number of keys. */
  | { readonly scope: 'key'; readonly name: string; readonly key: number; readonly keys: number }
  /** The limit of a key for one target. */
  | { readonly scope: 'limit'; readonly name: string; readonly key: number; readonly keys: number };

/** Creates the listener of a cooldown. */
export type Watch = (whose: HoldScope) => OnHold;

/** A pause of this length is worth reporting to the operator, milliseconds. */
const LONG_PAUSE_MS = 60_000;

/** The longest message of a provider in a line, characters. */
const MAX_WORDS = 200;

/** Reports each change once. A cooldown that is prolonged by a failed trial is reported at level debug. */
export function reportHolds(tell: (event: ProxyEvent) => void): Watch {
  return (whose) => (now, before) => {
    const event = whose.scope === 'limit' ? pauseEvent(whose, now) : holdEvent(whose, now, before);
    if (event) tell(event);
  };
}

function holdEvent(
  whose: Exclude<HoldScope, { scope: 'limit' }>,
  now: Hold | undefined,
  before: Hold | undefined,
): ProxyEvent | undefined {
  const fields = fieldsOf(whose);
  const { what, down, still, up, kinds } = wordsOf(whose);
  if (!now) {
    if (!before) return undefined;
    return { kind: kinds.up, level: 'info', message: `${what}: ${up}`, fields };
  }
  const { error, untilMs, imposedMs, only } = now;
  const whom = only === undefined ? '' : ` for the key "${only}", whose requests alone fail`;
  const trial = `next trial in ${span(untilMs - imposedMs)}`;
  const more = { ...fields, fault: error.fault, trial_in_ms: Math.round(untilMs - imposedMs) };
  if (before)
    return {
      kind: kinds.still,
      level: 'debug',
      message: `${what}: ${still}${whom}, ${trial}: ${causeOf(error)}`,
      fields: more,
    };
  return {
    kind: kinds.down,
    level: 'warn',
    message: `${what}: ${down}${whom}, ${trial}: ${causeOf(error)}`,
    fields: more,
  };
}

function wordsOf(whose: Exclude<HoldScope, { scope: 'limit' }>) {
  const { name } = whose;
  switch (whose.scope) {
    case 'provider':
    case 'target':
      return {
        what: name,
        down: 'breaker opened',
        still: 'breaker stays open',
        up: 'breaker closed, it answers again',
        kinds: { down: 'breaker_opened', still: 'breaker_still_open', up: 'breaker_closed' },
      } as const;
    case 'endpoint':
      return {
        what: name,
        down: `${whose.endpoint} is held back`,
        still: `${whose.endpoint} is still held back`,
        up: `${whose.endpoint} is back`,
        kinds: { down: 'endpoint_held', still: 'endpoint_still_held', up: 'endpoint_back' },
      } as const;
    case 'key':
      return {
        what: name,
        down: `${keyOf(whose)} is held back`,
        still: `${keyOf(whose)} is still held back`,
        up: `${keyOf(whose)} is back`,
        kinds: { down: 'key_held', still: 'key_still_held', up: 'key_back' },
      } as const;
  }
}

/** A rate limit ends by itself, usually soon: only a long one is reported at once. */
function pauseEvent(
  whose: Extract<HoldScope, { scope: 'limit' }>,
  now: Hold | undefined,
): ProxyEvent | undefined {
  if (!now) return undefined;
  const { error, untilMs, imposedMs } = now;
  const ms = untilMs - imposedMs;
  return {
    kind: 'rate_limited',
    level: ms >= LONG_PAUSE_MS ? 'warn' : 'debug',
    message: `${whose.name}: ${keyOf(whose)} is paused for ${span(ms)}: ${causeOf(error)}`,
    fields: { ...fieldsOf(whose), fault: error.fault, rest_ms: Math.round(ms) },
  };
}

function keyOf({ key, keys }: { readonly key: number; readonly keys: number }): string {
  return keys === 1 ? 'its key' : `key ${key + 1} of ${keys}`;
}

function fieldsOf(whose: HoldScope): Record<string, string | number> {
  const { scope, name } = whose;
  if (scope === 'provider') return { provider: name };
  if (scope === 'target') return { target: name };
  if (scope === 'endpoint') return { target: name, endpoint: whose.endpoint };
  return { [scope === 'key' ? 'provider' : 'target']: name, key: whose.key };
}

/** The failure, in the provider's own words if there are some. */
function causeOf({ fault, message, upstream }: ProxyError): string {
  const words = upstream?.message ? `${upstream.status} ${upstream.message}` : message;
  const short = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS).toWellFormed()}…` : words;
  return `${fault}: ${short}`;
}

/** "250 ms", "30 s", "5 min". */
function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
