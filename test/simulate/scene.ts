import type { LogRecord } from '../../src/logs/record.ts';
import type { Book, Call, SimRequest } from './book.ts';
import type { Known } from './known.ts';
import type { Violations } from './violations.ts';
import type { SimProvider, SimTarget } from './world.ts';

/** What every rule looks at. */
export interface Scene {
  readonly clock: { monotonic(): number };
  readonly book: Book;
  readonly known: Known;
  readonly violations: Violations;
}

/** A part of the model: it is told of everything, and says what should not have been. */
export interface Judge {
  arrives?(request: SimRequest): void;
  /** Before the call is added to those of its request. */
  began?(call: Call): void;
  ended?(call: Call): void;
  /** A probe found that no connection opens. */
  probed?(provider: SimProvider): void;
  /** @param record the one record, when there is one */
  finished?(request: SimRequest, record: LogRecord | undefined): void;
  reloaded?(): void;
}

/** Faults of the caller, or ends that it made itself. */
const CALLERS = new Set(['client_abort', 'client_stall', 'shutting_down', 'request_timeout']);

/** Whether a request was refused or failed by more than its caller's doing. */
export function failedHere(record: LogRecord | undefined): record is LogRecord {
  return record?.outcome === 'error' && !CALLERS.has(record.fault ?? '');
}

/** Whether a connection to the provider is free, however the requests in flight are spread. */
export function isFree({ book }: Scene, { provider }: SimTarget, { id }: SimRequest): boolean {
  const others = book.requests.size - (book.requests.has(id) ? 1 : 0);
  return provider.maxConnections === undefined || others < provider.maxConnections;
}

/** Words of the events that concern a request. */
export function aboutOf({ id, route }: SimRequest): string[] {
  return [id, ...route.targets.map(({ provider }) => provider.name)];
}
