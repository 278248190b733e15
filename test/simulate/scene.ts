import type { LogRecord } from '../../src/logs/record.ts';
import type { Book, Call, SimRequest } from './book.ts';
import type { Known } from './known.ts';
import type { Violations } from './violations.ts';
import type { SimProvider, SimTarget } from './world.ts';

/** The state that every rule reads. */
export interface Scene {
  readonly clock: { monotonic(): number };
  readonly book: Book;
  readonly known: Known;
  readonly violations: Violations;
}

/** A part of the model: it is notified of everything, and reports violations. */
export interface Judge {
  arrives?(request: SimRequest): void;
  /** Called before the call is added to those of its request. */
  began?(call: Call): void;
  ended?(call: Call): void;
  /** A probe could not open a connection. */
  probed?(provider: SimProvider): void;
  /** @param record the record, if there is one */
  finished?(request: SimRequest, record: LogRecord | undefined): void;
  reloaded?(): void;
}

/** Faults that the caller causes, and endings that the proxy makes itself. */
const CALLERS = new Set(['client_abort', 'client_stall', 'shutting_down', 'request_timeout']);

/** Whether a request failed, and not only because of its caller. */
export function failedHere(record: LogRecord | undefined): record is LogRecord {
  return record?.outcome === 'error' && !CALLERS.has(record.fault ?? '');
}

/** Whether a connection to the provider is free, however the requests in flight are distributed. */
export function isFree({ book }: Scene, { provider }: SimTarget, { id }: SimRequest): boolean {
  const others = book.requests.size - (book.requests.has(id) ? 1 : 0);
  return provider.maxConnections === undefined || others < provider.maxConnections;
}

/** The tags of the events that concern a request. */
export function aboutOf({ id, route }: SimRequest): string[] {
  return [id, ...route.targets.map(({ provider }) => provider.name)];
}
