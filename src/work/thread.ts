import type { Clock } from '../clock.ts';
import type { RedactKind } from '../config/redact-kinds.ts';
import type { OutwardRule } from '../config/schema/redaction.ts';
import type { Redacted } from '../redact/outward/redact-request.ts';
import type { LogRecord } from '../logs/record.ts';
import { ProxyError } from '../errors.ts';
import { turns } from '../turns.ts';

/** The texts of a job, concatenated. */
interface Texts {
  readonly job: number;
  /** The last part; the preceding parts have already been sent. */
  readonly text: string;
  /** The end offset of each text. */
  readonly ends: Uint32Array;
}

export type ToWorker =
  | {
      readonly kind: 'secrets';
      readonly secrets: readonly string[];
      readonly keys: readonly string[];
      readonly content: readonly RedactKind[];
    }
  | { readonly kind: 'text'; readonly job: number; readonly text: string }
  | (Texts & { readonly kind: 'count' })
  /** Each text is a list of tokens: numbers separated by commas. */
  | (Texts & { readonly kind: 'read' })
  | (Texts & {
      readonly kind: 'line';
      /** The job without the parts that are sent as texts. */
      readonly record: LogRecord;
      readonly parts: readonly Part[];
    })
  | {
      readonly kind: 'redact';
      readonly job: number;
      /** A request as JSON text. */
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly rule: OutwardRule;
    }
  | { readonly kind: 'forget'; readonly job: number };

/** The large fields of a record. */
type Part = 'request' | 'response';

export type FromWorker =
  | { readonly kind: 'counted'; readonly job: number; readonly tokens: number }
  | { readonly kind: 'read'; readonly job: number; readonly texts: readonly string[] }
  | { readonly kind: 'line'; readonly job: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | (Omit<Redacted, 'values'> & {
      readonly kind: 'redacted';
      readonly job: number;
      /** As JSON text: receiving thousands of them as a message would block the event loop. */
      readonly values: Uint8Array<ArrayBuffer>;
    })
  /** The part of a request that cannot be searched, and its place. */
  | { readonly kind: 'unsearchable'; readonly job: number; readonly what: string }
  | { readonly kind: 'failed'; readonly job: number; readonly reason: string };

export interface WorkOptions {
  readonly clock: Clock;
  /** What is redacted in log lines; see `redactor()`. */
  readonly secrets: readonly string[];
  readonly keys: readonly string[];
  /** What is redacted in the content of requests and answers; nothing by default. */
  readonly content?: readonly RedactKind[];
}

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/** The size of a message, characters. */
const PIECE = 1024 * 1024;

/** The number of counting requests that may be queued at once. */
const MAX_COUNTS = 256;

/** How long an idle thread is kept, milliseconds: it holds the vocabulary, about 100 MB. */
const IDLE_MS = 60_000;

/** The compiled binary keeps its entry points below their common directory, which is src. */
export const WORKER = import.meta.url.endsWith('/thread.ts') ? './worker.ts' : './work/worker.js';

/**
 * One thread for work that would block the event loop: counting tokens and writing large records. It is started for the
 * first job, shared by all, and ends after a minute without work.
 */
export class WorkThread {
  readonly #options: WorkOptions;
  #secrets: readonly string[];
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #jobs = 0;
  #counts = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#secrets = options.secrets;
  }

  /** Whether the thread is running. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Counts the tokens of texts in OpenAI's o200k vocabulary.
   * @param signal cancels the wait with its reason
   * @throws ProxyError `unavailable` when too many jobs are queued
   */
  async countTokens(texts: readonly string[], signal: AbortSignal): Promise<number> {
    return (await this.#awaited<'counted'>('count', texts, signal)).tokens;
  }

  /**
   * Decodes lists of tokens to texts, in OpenAI's cl100k vocabulary.
   * @param signal cancels the wait with its reason
   * @throws ProxyError `unavailable` when too many jobs are queued
   */
  async readTokens(lists: readonly (readonly number[])[], signal: AbortSignal): Promise<readonly string[]> {
    const texts = lists.map((tokens) => tokens.join(','));
    return (await this.#awaited<'read'>('read', texts, signal)).texts;
  }

  async #awaited<Kind extends 'counted' | 'read'>(
    kind: 'count' | 'read',
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<Extract<FromWorker, { kind: Kind }>> {
    signal.throwIfAborted();
    if (this.#counts >= MAX_COUNTS)
      throw new ProxyError('unavailable', 'Cannot count the tokens: too many requests are counted at once', {
        retryAfterMs: 1_000,
      });
    const job = ++this.#jobs;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => {
      this.#post({ kind: 'forget', job });
      this.#settle(job);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#counts += 1;
    try {
      const done = this.#ask<Kind>(texts, job, (handed) => ({ kind, ...handed }));
      return await Promise.race([done, left]);
    } finally {
      this.#counts -= 1;
      signal.removeEventListener('abort', leave);
    }
  }

  /** A record as its redacted line. @throws Error with the name of the original error */
  async line(record: LogRecord): Promise<Uint8Array<ArrayBuffer>> {
    const { request, response, ...rest } = record;
    const given = Object.entries({ request, response }).filter(([, text]) => text !== undefined);
    const parts = given.map(([part]) => part as Part);
    const texts = given.map(([, text]) => text as string);
    const made = this.#ask<'line'>(texts, ++this.#jobs, (handed) => ({
      kind: 'line',
      record: rest,
      parts,
      ...handed,
    }));
    return (await made).bytes;
  }

  /** Sets what is redacted in log lines, from the next job on. */
  hides(secrets: readonly string[]): void {
    this.#secrets = secrets;
    const { keys, content = [] } = this.#options;
    this.#post({ kind: 'secrets', secrets, keys, content });
  }

  /** Ends the thread; unfinished jobs fail. */
  close(): void {
    this.#end('the proxy is being stopped');
  }

  #ask<Kind extends FromWorker['kind']>(
    texts: readonly string[],
    job: number,
    message: (handed: Texts) => ToWorker,
  ): Promise<Extract<FromWorker, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
    this.#waiting.set(job, { resolve, reject });
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    if (!this.#worker) this.#start();
    void this.#hand(texts, job, message);
    return promise as Promise<Extract<FromWorker, { kind: Kind }>>;
  }

  /** Sends the texts with pauses: copying a message blocks the event loop. */
  async #hand(texts: readonly string[], job: number, message: (handed: Texts) => ToWorker): Promise<void> {
    let end = 0;
    const ends = Uint32Array.from(texts, (text) => (end += text.length));
    let waiting = '';
    for (const text of texts) {
      for (let at = 0; at < text.length; at += PIECE) {
        waiting += text.slice(at, at + PIECE);
        if (waiting.length < PIECE) continue;
        this.#post({ kind: 'text', job, text: waiting });
        waiting = '';
        await turns.pause();
        // The caller has disconnected, or the thread was replaced.
        if (!this.#waiting.has(job)) return;
      }
    }
    this.#post(message({ job, text: waiting, ends }));
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true, ref: false });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#settle(data.job);
      if (data.kind === 'failed') waiting?.reject(namedError(data.reason));
      else waiting?.resolve(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#end(event.message);
    });
    this.#worker = worker;
    this.hides(this.#secrets);
  }

  #settle(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0)
      this.#cancelIdle ??= this.#options.clock.after(IDLE_MS, () => this.#end('it was idle'));
    return waiting;
  }

  #end(reason: string): void {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(`The thread for long work ended: ${reason}`));
  }
}

function namedError(name: string): Error {
  return Object.assign(new Error(`Cannot do the work: ${name}`), { name });
}
