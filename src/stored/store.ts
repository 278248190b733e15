import type { Clock } from '../clock.ts';
import type { Owner, StoredOptions } from './entries.ts';
import type {
  FromStore,
  Given,
  Got,
  MethodOf,
  RedisPlace,
  StoredShared,
  TableName,
  Tables,
  ToStore,
} from './messages.ts';
import { ProxyError } from '../errors.ts';
import { isObject } from '../wire/json.ts';
import { NoRoom } from './room.ts';
import { OwnersTurns } from './turns.ts';

export interface StoreDeps {
  readonly clock: Clock;
  /** The directory of the file; in memory if omitted. */
  readonly directory: string | undefined;
  /** The server through which it is shared with other machines. */
  readonly redis?: RedisPlace | undefined;
  /** Further JSON keys whose values are redacted. */
  readonly keys: readonly string[];
  readonly onProblem: (message: string) => void;
}

interface Waiting {
  readonly bytes: number;
  readonly resolve: (got: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Whether the thread does other work meanwhile. */
  isAside: boolean;
}

/** All data is copied. */
const NOTHING: ArrayBuffer[] = [];

/**
 * How many calls the thread has at once: one in progress, and the next. More would be done before another owner's turn.
 */
const MAX_SENT = 2;

/** The limit for queued calls, bytes: above it nothing more is stored until some are done. */
const MAX_WAITING = 64 * 1024 * 1024;

/** The shortest time between two reports of the same problem, milliseconds. */
const TELL_MS = 60_000;

/** How long the shutdown waits for pending writes, milliseconds. */
const CLOSE_MS = 5_000;

/** The compiled binary keeps its entry points below their common directory, which is src. */
const WORKER = import.meta.url.endsWith('/store.ts') ? './worker.ts' : './stored/worker.js';

/**
 * The stored responses and conversations, in a separate thread, so that a slow disk or a large answer delays nobody.
 * The calls of one owner are done in order, so that what was stored is found afterwards; owners take turns. The thread
 * is started with the first call.
 */
export class Store {
  readonly #deps: StoreDeps;
  readonly #waiting = new Map<number, Waiting>();
  /** The queued ones of these. */
  readonly #unsent = new OwnersTurns<ToStore>();
  #sent = 0;
  /** Called when the queue is empty. */
  #onIdle: (() => void) | undefined;
  #options: StoredOptions;
  #secrets: readonly string[] = [];
  #worker: Worker | undefined;
  #jobs = 0;
  #bytes = 0;
  #toldMs = -Infinity;
  #shared: StoredShared | undefined;
  /** The number of responses that could not be stored: too much was queued, or the disk was full. */
  dropped = 0;

  constructor(options: StoredOptions, deps: StoreDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The state of the server through which they are shared; `undefined` if there is none, or nothing was called yet. */
  get shared(): StoredShared | undefined {
    return this.#shared;
  }

  /**
   * Starts to share without waiting for the first call: pending changes are sent, and what others deleted is deleted.
   */
  share(): void {
    if (this.#deps.redis) this.#worker ??= this.#start();
  }

  /** Sets other limits. */
  configure(options: StoredOptions): void {
    this.#options = options;
    if (this.#worker) this.#send(this.#worker, { kind: 'options', options });
  }

  /** Sets what is redacted from now on. */
  hides(secrets: readonly string[]): void {
    this.#secrets = secrets;
    if (this.#worker) this.#send(this.#worker, { kind: 'secrets', secrets, keys: this.#deps.keys });
  }

  /** @throws ProxyError `unavailable` when it cannot be done, `too_large` when there is no room */
  async ask<Table extends TableName, Name extends MethodOf<Tables[Table]>>(
    table: Table,
    name: Name,
    ...given: Given<Tables[Table], Name>
  ): Promise<Got<Tables[Table], Name>> {
    try {
      return (await this.#call(table, name, given, 0)) as Got<Tables[Table], Name>;
    } catch (cause) {
      this.#tell((cause as Error).message);
      if (cause instanceof NoRoom)
        throw new ProxyError('too_large', `Cannot store it: ${cause.message}`, { cause });
      throw new ProxyError('unavailable', 'Cannot reach the stored responses', {
        cause,
        retryAfterMs: 1_000,
      });
    }
  }

  /** Stores something without waiting for the result. @param bytes its approximate size */
  put<Table extends TableName, Name extends MethodOf<Tables[Table]>>(
    bytes: number,
    table: Table,
    name: Name,
    ...given: Given<Tables[Table], Name>
  ): void {
    if (this.#bytes + bytes > MAX_WAITING) return this.#drop('too many of them wait for the disk');
    this.#call(table, name, given, bytes).catch((error: Error) => this.#drop(error.message));
  }

  /** Writes everything that is pending. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const cancel = this.#deps.clock.after(CLOSE_MS, () => resolve(undefined));
    await Promise.race([this.#idle(), late]);
    await Promise.race([this.#post('', (job) => ({ kind: 'close', job }), 0), late]);
    cancel();
    this.#end(worker, 'the proxy is being stopped');
  }

  #call(table: TableName, name: string, given: readonly unknown[], bytes: number): Promise<unknown> {
    this.#worker ??= this.#start();
    return this.#post(ownerIn(given), (job) => ({ kind: 'call', job, table, name, given }), bytes);
  }

  #post(owner: Owner, message: (job: number) => ToStore, bytes: number): Promise<unknown> {
    const job = (this.#jobs += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(job, { bytes, resolve, reject, isAside: false });
    this.#bytes += bytes;
    this.#unsent.push(owner, message(job));
    this.#sendNext();
    return promise;
  }

  /** Sends calls to the thread up to its limit. */
  #sendNext(): void {
    while (this.#worker && this.#sent < MAX_SENT) {
      const next = this.#unsent.next();
      if (!next) return;
      this.#sent += 1;
      this.#send(this.#worker, next);
    }
  }

  #freed(): void {
    this.#sent -= 1;
    this.#sendNext();
  }

  /** Resolves when the queue is empty. */
  async #idle(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    await promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref: false });
    worker.addEventListener('message', ({ data }: MessageEvent<FromStore>) => {
      if (data.kind === 'trouble') return this.#tell(data.reason);
      if (worker !== this.#worker) return;
      if (data.kind === 'aside') {
        this.#waiting.get(data.job)!.isAside = true;
        return this.#freed();
      }
      if (data.kind === 'shared') {
        this.#shared = data.state;
        if (data.message !== undefined) this.#deps.onProblem(data.message);
        return;
      }
      const waiting = this.#settle(data.job);
      if (waiting?.isAside !== true) this.#freed();
      if (data.kind === 'failed') waiting?.reject(data.isFull ? new NoRoom() : new Error(data.reason));
      else waiting?.resolve(data.got);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(worker, event.message);
    });
    const { directory, keys, redis } = this.#deps;
    const beginning: ToStore[] = [
      { kind: 'secrets', secrets: this.#secrets, keys },
      { kind: 'open', directory, options: this.#options, redis },
    ];
    for (const message of beginning) this.#send(worker, message);
    return worker;
  }

  #send(worker: Worker, message: ToStore): void {
    worker.postMessage(message, NOTHING);
  }

  #settle(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    this.#bytes -= waiting?.bytes ?? 0;
    if (this.#waiting.size === 0) this.#onIdle?.();
    return waiting;
  }

  #end(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    worker.terminate();
    this.#unsent.clear();
    this.#sent = 0;
    for (const job of this.#waiting.keys())
      this.#settle(job)?.reject(new Error(`the thread for them ended: ${reason}`));
  }

  #drop(reason: string): void {
    this.dropped += 1;
    this.#tell(reason);
  }

  #tell(reason: string): void {
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    this.#deps.onProblem(`Cannot store responses: ${reason}`);
  }
}

/** The owner of a call: nobody if it concerns everything. */
function ownerIn([first]: readonly unknown[]): Owner {
  if (typeof first === 'string') return first;
  return isObject(first) && typeof first.owner === 'string' ? first.owner : '';
}
