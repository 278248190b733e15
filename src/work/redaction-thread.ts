import type { Clock } from '../clock.ts';
import type { OutwardRule } from '../config/redact-schema.ts';
import type { Redacted } from '../redact/outward/redact-request.ts';
import type { FromWorker, ToWorker } from './thread.ts';
import { ProxyError } from '../errors.ts';
import { WORKER } from './thread.ts';

/** The number of requests of one caller that may wait. */
const MAX_WAITING = 256;

/** How long the thread stays when there is nothing to do, milliseconds. */
const IDLE_MS = 60_000;

interface Job {
  readonly id: number;
  readonly caller: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly rule: OutwardRule;
  readonly resolve: (redacted: Redacted) => void;
  readonly reject: (error: unknown) => void;
  /** Begins its time anew: it may wait as long as it may take. */
  readonly limit: () => void;
  /** Takes away its time limit, and what listens for its client leaving. */
  readonly forget: () => void;
}

/**
 * The thread that searches requests on their way to a provider, one after the other. It is one of its own: a pattern of the operator's
 * may never come to an end, and then the thread is ended, with nothing in it but that request.
 */
export class RedactionThread {
  readonly #clock: Clock;
  /** Requests that wait, by caller. Callers take turns: the first one is next. */
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
   * @throws ProxyError `unredactable` when there is something in it that cannot be searched, `redaction_failed` when it
   * waits or takes longer than the rule allows, or fails
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
    // What is in work already comes to its end, or to its limit: a new thread would cost more.
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

  /** Ends the thread; what is still in work fails. */
  close(): void {
    const jobs = [...(this.#running ? [this.#running] : []), ...[...this.#waiting.values()].flat()];
    this.#waiting.clear();
    this.#end();
    for (const { forget, reject } of jobs) {
      forget();
      reject(failed('the proxy is being stopped'));
    }
  }

  /** Nobody waits for a job any more. The one in work ends with its thread. */
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
      if (data.kind === 'redacted') job.resolve(data);
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

function failed(state: string): ProxyError {
  return new ProxyError('redaction_failed', `Cannot redact the request, so it is not sent: ${state}`);
}

function unredactable(what: string): ProxyError {
  return new ProxyError('unredactable', `Cannot redact ${what}, so the request is not sent`);
}
