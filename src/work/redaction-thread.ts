import type { Clock } from '../clock.ts';
import type { OutwardRule } from '../config/schema/redaction.ts';
import type { Redacted } from '../redact/outward/redact-request.ts';
import type { FromWorker, ToWorker } from './thread.ts';
import type { JsonBounds } from '../wire/json-bounds.ts';
import { ProxyError } from '../errors.ts';
import { turns } from '../turns.ts';
import { decodeInSteps } from '../wire/bytes.ts';
import { parseInSteps } from '../wire/json-steps.ts';
import { WORKER } from './thread.ts';

/** The number of requests of one caller that may wait at the same time. */
const MAX_WAITING = 256;

/** How long an idle thread is kept, milliseconds: starting one takes about 100. */
const IDLE_MS = 600_000;

interface Job {
  readonly id: number;
  readonly caller: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly rule: OutwardRule;
  readonly resolve: (redacted: Redacted) => void;
  readonly reject: (error: unknown) => void;
  /** Starts its time limit again: waiting and the search have the same limit, one after the other. */
  readonly limit: () => void;
  /** Removes its time limit and the listener for the client's disconnect. */
  readonly forget: () => void;
}

/**
 * A thread that redacts requests before they are sent, one at a time. It is separate from other work because a pattern
 * in the configuration may take forever: the thread is then terminated, which affects no other request.
 */
export class RedactionThread {
  readonly #clock: Clock;
  /** Waiting requests by caller. Callers take turns; the first one is next. */
  readonly #waiting = new Map<string | null, Job[]>();
  #running: Job | undefined;
  #worker: Worker | undefined;
  #jobs = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param body JSON text; it is copied
   * @param signal its reason ends the wait
   * @throws ProxyError `unredactable` if something in it cannot be searched, `redaction_failed` if it waits or takes
   * longer than the rule allows, or if the search fails
   */
  async redact(
    body: Uint8Array<ArrayBuffer>,
    rule: OutwardRule,
    { caller, signal }: { readonly caller: string | null; readonly signal: AbortSignal },
  ): Promise<Redacted> {
    signal.throwIfAborted();
    const waiting = this.#waiting.get(caller) ?? [];
    if (waiting.length >= MAX_WAITING) throw failed('too many requests are searched at once');
    const { promise, resolve, reject } = Promise.withResolvers<Redacted>();
    const id = ++this.#jobs;
    let cancelTimer = (): void => undefined;
    const limit = () => {
      cancelTimer();
      const late = failed(`it took longer than redact.timeout (${rule.timeout} ms)`);
      cancelTimer = this.#clock.after(rule.timeout, () => this.#drop(id, late));
    };
    limit();
    // A request that is being searched is left to finish: a new thread would cost more.
    const leave = () => (this.#running?.id === id ? reject(signal.reason) : this.#drop(id, signal.reason));
    signal.addEventListener('abort', leave, { once: true });
    const forget = () => {
      cancelTimer();
      signal.removeEventListener('abort', leave);
    };
    waiting.push({ id, caller, body, rule, resolve, reject, limit, forget });
    this.#waiting.set(caller, waiting);
    this.#next();
    return await promise;
  }

  /** Terminates the thread; all its requests fail. */
  close(): void {
    const jobs = [...(this.#running ? [this.#running] : []), ...[...this.#waiting.values()].flat()];
    this.#waiting.clear();
    this.#end();
    for (const { forget, reject } of jobs) {
      forget();
      reject(failed('the proxy is being stopped'));
    }
  }

  /** Rejects a request. If it is being searched, the thread is terminated. */
  #drop(id: number, reason: unknown): void {
    const running = this.#running;
    const job = running?.id === id ? running : this.#removed(id);
    if (!job) return;
    job.forget();
    job.reject(reason);
    if (job !== running) return;
    this.#end();
    this.#next();
  }

  #next(): void {
    if (this.#running) return;
    const job = (this.#running = this.#taken());
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    if (!job) {
      if (this.#worker) this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#end());
      return;
    }
    job.limit();
    const worker = (this.#worker ??= this.#start());
    const bytes = job.body.slice();
    const message: ToWorker = { kind: 'redact', job: job.id, bytes, rule: job.rule };
    worker.postMessage(message, [bytes.buffer]);
  }

  /** Takes out the next request. The turn passes to the next caller. */
  #taken(): Job | undefined {
    for (const [caller, [job, ...others]] of this.#waiting) {
      this.#waiting.delete(caller);
      if (others.length > 0) this.#waiting.set(caller, others);
      if (job) return job;
    }
    return undefined;
  }

  /** Takes out a certain request. */
  #removed(id: number): Job | undefined {
    for (const jobs of this.#waiting.values()) {
      const at = jobs.findIndex((job) => job.id === id);
      if (at >= 0) return jobs.splice(at, 1)[0];
    }
    return undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref: false });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const job = this.#running;
      if (worker !== this.#worker || job?.id !== data.job) return;
      this.#running = undefined;
      job.forget();
      if (data.kind === 'redacted') void received(data).then(job.resolve, job.reject);
      else if (data.kind === 'unsearchable') job.reject(unredactable(data.what));
      else job.reject(failed(data.kind === 'failed' ? data.reason : 'no answer'));
      this.#next();
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker !== this.#worker) return;
      const job = this.#running;
      this.#end();
      job?.forget();
      job?.reject(failed('its thread ended'));
      this.#next();
    });
    return worker;
  }

  #end(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#running = undefined;
  }
}

/** What the thread found, read in steps. */
async function received({ bytes, values, counts }: FromWorker & { kind: 'redacted' }): Promise<Redacted> {
  const text = await turns.run(decodeInSteps(values, true));
  const read = (await turns.run(parseInSteps(text, NO_BOUNDS))) as Redacted['values'];
  return { bytes, values: read, counts };
}

/** Text that was generated here. */
const NO_BOUNDS: JsonBounds = {
  maxDepth: Infinity,
  maxValues: Infinity,
  maxFields: Infinity,
  maxObjectFields: Infinity,
};

function failed(state: string): ProxyError {
  return new ProxyError('redaction_failed', `Cannot redact the request, so it is not sent: ${state}`);
}

function unredactable(what: string): ProxyError {
  return new ProxyError('unredactable', `Cannot redact ${what}, so the request is not sent`);
}
