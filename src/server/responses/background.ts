import type { RunningRequests } from '../../pipeline/record/running.ts';
import type { Clock } from '../../clock.ts';
import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Settled } from '../../pipeline/record/exchange-facts.ts';
import type { Inbound } from '../../pipeline/inbound.ts';
import type { Pipeline, Reply } from '../../pipeline/pipeline.ts';
import type { Requester } from '../../pipeline/admission.ts';
import type { Store } from '../../stored/store.ts';
import type { Owner } from '../../stored/entries.ts';
import { Abort } from '../../abort.ts';
import { ProxyError, statusOf, toProxyError } from '../../errors.ts';
import { finishFailed } from '../../pipeline/pipeline.ts';
import { failedCode } from '../../wire/responses/failure.ts';
import { queuedResponse } from '../../wire/responses/queued.ts';
import { EventCopy, queuedEvents } from './event-copy.ts';

/** The interval at which running responses are confirmed, and cancelled ones looked up, milliseconds. */
const BEAT_MS = 1_000;

const RETRY_AFTER_MS = 1_000;

export interface BackgroundDeps {
  readonly clock: Clock;
  readonly store: Store;
}

export interface BackgroundLimits {
  /** The limits on running and on queued responses. */
  readonly maxRunning: number;
  readonly maxQueued: number;
}

/** A request to run in the background. */
export interface BackgroundJob {
  readonly owner: Owner;
  /** Including its storage state, which contains its id. */
  readonly inbound: Inbound;
  /** As its client sent it, JSON. */
  readonly request: string;
  readonly exchange: Exchange;
  readonly requester: Requester;
  readonly pipeline: Pipeline;
  /**
   * Called when it was queued and begins: by whom and how it is answered now. @throws ProxyError when its
   * caller may no longer request it
   */
  readonly later: () => Pick<BackgroundJob, 'requester' | 'pipeline'>;
  readonly ttlMs: number;
  /** Functions that abort the requests in progress when the proxy stops. */
  readonly running: RunningRequests;
}

interface Running {
  readonly owner: Owner;
  readonly id: string;
  readonly abort: Abort;
  /** Whether it counts as running. */
  runs: boolean;
  /** Starts it, while it is queued. */
  begin: (() => void) | undefined;
  /** Callbacks that wait for its next events. */
  readonly listeners: Set<() => void>;
}

/** Responses that run without their client, a limited number at once. Their output goes to the store. */
export class Background {
  readonly #deps: BackgroundDeps;
  readonly #jobs = new Map<string, Running>();
  #limits: BackgroundLimits;
  #active = 0;
  /** Whether a confirmation is scheduled. */
  #beats = false;

  constructor(deps: BackgroundDeps, limits: BackgroundLimits) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** The number of running and queued responses. */
  get size(): number {
    return this.#jobs.size;
  }

  set limits(limits: BackgroundLimits) {
    this.#limits = limits;
  }

  /**
   * Accepts a request. Its exchange is finished when it ends, however long that takes.
   * @returns the response in its current state, JSON
   * @throws ProxyError when it is refused at once
   */
  async accept(job: BackgroundJob): Promise<string> {
    const { owner, inbound, request, exchange, ttlMs } = job;
    this.#checkRoom(owner);
    const storage = inbound.storage!;
    const id = storage.id!;
    const { clock, store } = this.#deps;
    const nowMs = clock.now();
    const created = Math.floor(nowMs / 1000);
    const queued = queuedResponse(inbound.json!.value, { id, created, storage });
    const response = JSON.stringify(queued);
    const { previous, conversation } = storage;
    const untilMs = nowMs + ttlMs;
    const streams = inbound.stream;
    const entry = { owner, id, request, response, previous, conversation, streams, nowMs, untilMs };
    const abort = new Abort();
    const running: Running = { owner, id, abort, runs: false, begin: undefined, listeners: new Set() };
    // The place is taken before anything is awaited: other requests arrive meanwhile.
    this.#jobs.set(keyOf(owner, id), running);
    try {
      await store.ask('background', 'queue', entry);
    } catch (thrown) {
      this.#jobs.delete(keyOf(owner, id));
      throw thrown;
    }
    if (streams) store.put(0, 'background', 'addEvents', owner, id, 0, queuedEvents(queued));
    this.#beatLater();
    job.running.add(running.abort, exchange);
    exchange.finally(() => void this.#jobs.delete(keyOf(owner, id)));
    exchange.keeps((settled) => this.#end(job, running, settled));
    const refused = await this.#run(job, running);
    if (!refused) return response;
    await store.ask('responses', 'remove', owner, id);
    throw refused;
  }

  /** Aborts one that runs here. The store already says so. */
  cancel(owner: Owner, id: string): void {
    const running = this.#jobs.get(keyOf(owner, id));
    if (!running) return;
    running.abort.abort(new ProxyError('client_abort', 'Cannot finish the answer: the client cancelled it'));
  }

  /** Waits until there may be more events, at most for this long, milliseconds. */
  async changed(owner: Owner, id: string, ms: number): Promise<void> {
    const running = this.#jobs.get(keyOf(owner, id));
    const { promise, resolve } = Promise.withResolvers<void>();
    running?.listeners.add(resolve);
    const cancel = this.#deps.clock.after(ms, resolve);
    await promise;
    cancel();
    running?.listeners.delete(resolve);
  }

  /** Starts it, or queues it. @returns why it was refused at once, if it was */
  async #run(job: BackgroundJob, running: Running): Promise<ProxyError | undefined> {
    if (this.#active >= this.#limits.maxRunning) {
      void this.#wait(job, running);
      return undefined;
    }
    this.#active += 1;
    running.runs = true;
    const opened = this.#open(job, running);
    const { promise: going, resolve } = Promise.withResolvers<undefined>();
    // The limits of its key are checked before a provider is called.
    const cancel = this.#deps.clock.after(1, () => resolve(undefined));
    const early = await Promise.race([opened.then(() => undefined, toProxyError), going]);
    cancel();
    if (early) {
      this.#free(running);
      return early;
    }
    void this.#goOn(job, running, opened);
    return undefined;
  }

  async #wait(job: BackgroundJob, running: Running): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    running.begin = () => resolve(true);
    const forget = running.abort.onAbort(() => {
      // From here on it is no longer queued.
      running.begin = undefined;
      resolve(false);
    });
    const begins = await promise;
    forget();
    if (!begins)
      return void finishFailed(
        job.exchange,
        running.abort.reason,
        statusOf(toProxyError(running.abort.reason)),
      );
    await this.#goOn(job, running, this.#openLater(job, running));
  }

  /** The configuration may have changed while it was queued. */
  async #openLater(job: BackgroundJob, running: Running): Promise<Reply> {
    return await this.#open({ ...job, ...job.later() }, running);
  }

  #open({ inbound, exchange, requester, pipeline }: BackgroundJob, running: Running): Promise<Reply> {
    const { clock, store } = this.#deps;
    store.put(0, 'background', 'begin', running.owner, running.id, clock.now());
    return pipeline.handle(inbound, exchange, {
      abort: running.abort,
      stalled: () => undefined,
      requester,
    });
  }

  async #goOn(job: BackgroundJob, running: Running, opened: Promise<Reply>): Promise<void> {
    try {
      const { body } = await opened;
      if (body instanceof ReadableStream) await this.#copy(body, running);
    } catch (thrown) {
      const error = toProxyError(thrown);
      finishFailed(job.exchange, error, statusOf(error));
    } finally {
      this.#free(running);
      tell(running);
    }
  }

  /** Stores the events of a stream as they arrive. */
  async #copy(body: ReadableStream<Uint8Array>, running: Running): Promise<void> {
    const { owner, id } = running;
    const copy = new EventCopy(id);
    for await (const bytes of body) {
      const first = copy.next;
      const events = copy.push(bytes);
      if (events.length === 0) continue;
      this.#deps.store.put(bytes.length, 'background', 'addEvents', owner, id, first, events);
      tell(running);
    }
  }

  #end({ owner, ttlMs }: BackgroundJob, running: Running, settled: Settled): void {
    const { outcome, error, text, issuer } = settled;
    const { clock, store } = this.#deps;
    const nowMs = clock.now();
    const isWhole = outcome === 'success' && text !== undefined;
    const failed = error && { code: failedCode(error), message: error.message };
    const tooLong = { code: 'server_error', message: 'The response is too large to be stored' };
    store.put(text?.length ?? 0, 'background', 'end', {
      owner,
      id: running.id,
      ...(isWhole ? { response: text, issuer } : { error: failed ?? tooLong }),
      nowMs,
      untilMs: nowMs + ttlMs,
    });
    tell(running);
  }

  /** @throws ProxyError `unavailable` when there are too many, `over_share` when too many of them belong to one key */
  #checkRoom(owner: Owner): void {
    const { maxRunning, maxQueued } = this.#limits;
    const more = { retryAfterMs: RETRY_AFTER_MS };
    if (this.#jobs.size >= maxRunning + maxQueued)
      throw new ProxyError(
        'unavailable',
        'Cannot accept the request: too many responses run in the background (responses.max_background)',
        more,
      );
    if (owner === '') return;
    const own = this.#jobs.values().reduce((count, job) => count + (job.owner === owner ? 1 : 0), 0);
    if (own >= maxRunning + Math.ceil(maxQueued / 2))
      throw new ProxyError(
        'over_share',
        'Cannot accept the request: this key has its share of the responses that run in the background (responses.max_queued)',
        more,
      );
  }

  /** When one ends, queued ones are started as far as the limit allows. */
  #free(over: Running): void {
    over.runs = false;
    this.#active -= 1;
    while (this.#active < this.#limits.maxRunning) {
      const next = this.#next(over);
      if (!next) break;
      const { begin } = next;
      next.begin = undefined;
      next.runs = true;
      this.#active += 1;
      begin!();
    }
  }

  /**
   * The longest-queued one of the owner with the fewest running: many responses of one owner must not delay another's.
   */
  #next(over: Running): Running | undefined {
    // The one that has ended still counts, so that its owner is not preferred.
    const runs = new Map<Owner, number>([[over.owner, 1]]);
    for (const job of this.#jobs.values()) if (job.runs) runs.set(job.owner, (runs.get(job.owner) ?? 0) + 1);
    let next: Running | undefined;
    for (const job of this.#jobs.values())
      if (job.begin && (!next || (runs.get(job.owner) ?? 0) < (runs.get(next.owner) ?? 0))) next = job;
    return next;
  }

  #beatLater(): void {
    if (this.#beats) return;
    this.#beats = true;
    this.#deps.clock.after(BEAT_MS, () => {
      this.#beats = false;
      if (this.#jobs.size > 0) void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    const ids = jobs.map(({ owner, id }) => [owner, id] as const);
    const { clock, store } = this.#deps;
    const unwanted = await store.ask('background', 'beat', ids, clock.now()).catch((): string[] => []);
    for (const { owner, id } of jobs) if (unwanted.includes(id)) this.cancel(owner, id);
    if (this.#jobs.size > 0) this.#beatLater();
  }
}

function tell({ listeners }: Running): void {
  for (const listener of listeners) listener();
}

function keyOf(owner: Owner, id: string): string {
  return `${owner}\n${id}`;
}
