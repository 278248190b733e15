import type { Clock } from '../clock.ts';
import type { RedactKind } from '../config/redact-kinds.ts';
import type { LogRecord } from '../logs/record.ts';
import { ProxyError } from '../errors.ts';
import { turns } from '../turns.ts';

/** What is handed over with a job: texts, one behind the other. */
interface Texts {
  readonly job: number;
  /** The last of them; what came before is handed over already. */
  readonly text: string;
  /** Where each text ends. */
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
  /** Each text is a list of tokens, as numbers with commas between them. */
  | (Texts & { readonly kind: 'read' })
  | (Texts & {
      readonly kind: 'line';
      /** Without the parts that are handed over as texts. */
      readonly record: LogRecord;
      readonly parts: readonly Part[];
    })
  | { readonly kind: 'forget'; readonly job: number };

/** What of a record is large. */
type Part = 'request' | 'response';

export type FromWorker =
  | { readonly kind: 'counted'; readonly job: number; readonly tokens: number }
  | { readonly kind: 'read'; readonly job: number; readonly texts: readonly string[] }
  | { readonly kind: 'line'; readonly job: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly job: number; readonly reason: string };

export interface WorkOptions {
  readonly clock: Clock;
  /** What is taken out of the lines of the log; see `redactor()`. */
  readonly secrets: readonly string[];
  readonly keys: readonly string[];
  /** What is taken out of what people and models wrote; nothing by default. */
  readonly content?: readonly RedactKind[];
}

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/** Characters of a message. */
const PIECE = 1024 * 1024;

/** Requests that are counted at once. */
const MAX_COUNTS = 256;

/** How long the thread stays when there is nothing to do, milliseconds: it holds the vocabulary, some 100 MB. */
const IDLE_MS = 60_000;

/** The compiled binary keeps its entry points below the folder they share, which is src. */
const WORKER = import.meta.url.endsWith('/thread.ts') ? './worker.ts' : './work/worker.js';

/**
 * One thread for what would hold the event loop: counting tokens and writing large records. It begins with the first
 * job, serves all, and ends when it had nothing to do for a minute.
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

  /** Whether there is a thread now. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * The tokens of texts in OpenAI's o200k vocabulary.
   * @param signal its reason ends the wait
   * @throws ProxyError `unavailable` when too many are counted already
   */
  async countTokens(texts: readonly string[], signal: AbortSignal): Promise<number> {
    return (await this.#awaited<'counted'>('count', texts, signal)).tokens;
  }

  /**
   * The texts that lists of tokens stand for, in OpenAI's cl100k vocabulary.
   * @param signal its reason ends the wait
   * @throws ProxyError `unavailable` when too much is counted and read already
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

  /** A record as its line, without secrets. @throws Error named like what went wrong */
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

  /** From the next job on, these are taken out of the lines of the log. */
  hides(secrets: readonly string[]): void {
    this.#secrets = secrets;
    const { keys, content = [] } = this.#options;
    this.#post({ kind: 'secrets', secrets, keys, content });
  }

  /** Ends the thread; what is still in work fails. */
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

  /** Hands over the texts, with pauses: a message is copied while nothing else happens. */
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
        // Whoever asked has left, or the thread is another one.
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
      this.#cancelIdle ??= this.#options.clock.after(IDLE_MS, () => this.#end('it had nothing to do'));
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
