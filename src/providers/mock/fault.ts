import type { MockConfig } from '../../config/schema.ts';
import { ProxyError } from '../../errors.ts';

export type FaultKind = MockConfig['faults']['kinds'][number];

/** A fault to simulate, and its place in the answer. */
export interface MockFault {
  readonly kind: FaultKind;
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** The number of content tokens before a cut, a stall, a broken chunk or an error event. */
  readonly after: number;
}

const KINDS: readonly string[] = ['status', 'reset', 'silence', 'cut', 'stall', 'malformed', 'error_event'];

/** mulberry32: a seeded random number in [0, 1), so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The fault chosen at random. Always two random numbers per request, whichever fault results. */
export function drawnFault({ faults }: MockConfig, random: () => number): MockFault | undefined {
  const [hit, which] = [random(), random()];
  if (hit >= faults.rate) return undefined;
  const kind = faults.kinds[Math.floor(which * faults.kinds.length)]!;
  const retryAfter = faults.retry_after === undefined ? undefined : faults.retry_after / 1000;
  return { kind, status: faults.status, retryAfter, after: 3 };
}

/**
 * The fault that a client asks for: `kind[=status][; retry-after=SECONDS][; after=TOKENS]`, such as
 * `status=429; retry-after=2` or `cut; after=5`.
 * @throws ProxyError `invalid_request` for any other text
 */
export function parseFault(header: string): MockFault {
  const [first = '', ...rest] = header.split(';').map((part) => part.trim());
  const [kind = '', status = '503'] = first.split('=');
  const options = new Map(rest.map((part) => part.split('=') as [string, string | undefined]));
  const numbers = [status, options.get('retry-after') ?? '0', options.get('after') ?? '0'].map(Number);
  const fine =
    KINDS.includes(kind) &&
    [...options.keys()].every((name) => name === 'retry-after' || name === 'after') &&
    numbers.every((number) => Number.isFinite(number) && number >= 0) &&
    numbers[0]! >= 400 &&
    numbers[0]! <= 599;
  if (!fine) {
    const shape = 'kind[=status][; retry-after=SECONDS][; after=TOKENS]';
    throw new ProxyError(
      'invalid_request',
      `Cannot use x-mock-fault: expected ${shape}, kind one of ${KINDS.join(', ')}`,
    );
  }
  const retryAfter = options.has('retry-after') ? numbers[1] : undefined;
  return {
    kind: kind as FaultKind,
    status: numbers[0]!,
    retryAfter,
    after: options.has('after') ? numbers[2]! : 3,
  };
}
