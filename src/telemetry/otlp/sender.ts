/** Sends OTLP over HTTP, with retries. @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
import type { Clock } from '../../clock.ts';
import type { Destination } from '../settings.ts';
import { sleep } from '../../clock.ts';
import { retryAfterMs } from '../../wire/retry-after.ts';

/** The statuses after which a request may be retried. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** How long a batch is retried, milliseconds. */
const PATIENCE_MS = 60_000;
/** How much of a collector's error message is reported, characters. */
const MAX_WORDS = 200;

export interface SenderDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The result of sending a batch. */
export type Sent =
  | {
      readonly ok: true;
      /** How much of it the collector rejected, and why. */ readonly rejected: number;
      readonly words: string;
    }
  | { readonly ok: false; readonly reason: string };

export class OtlpSender {
  readonly #destination: Destination;
  readonly #deps: SenderDeps;
  #closing = false;
  #stop = new AbortController();

  constructor(destination: Destination, deps: SenderDeps) {
    this.#destination = destination;
    this.#deps = deps;
  }

  get isJson(): boolean {
    return this.#destination.protocol === 'http/json';
  }

  /** Disables retries from now on. */
  hurry(): void {
    this.#closing = true;
  }

  /** Cancels what is in progress. */
  abort(): void {
    this.#stop.abort();
  }

  /** Never rejects. */
  async send(body: Uint8Array<ArrayBuffer> | string): Promise<Sent> {
    const { clock, random } = this.#deps;
    const { headers, gzip } = this.#destination;
    const bytes = gzip ? Bun.gzipSync(typeof body === 'string' ? Buffer.from(body) : body) : body;
    const fields = {
      'user-agent': 'llmproxy-otlp',
      ...headers,
      'content-type': this.isJson ? 'application/json' : 'application/x-protobuf',
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    };
    const untilMs = clock.monotonic() + PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      const outcome = await this.#once(bytes, fields);
      if (!('again' in outcome)) return outcome;
      const backoffMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.5 + random() / 2);
      const waitMs = outcome.afterMs ?? backoffMs;
      if (this.#closing || clock.monotonic() + waitMs > untilMs) return { ok: false, reason: outcome.again };
      await sleep(clock, waitMs);
    }
  }

  async #once(
    body: Uint8Array<ArrayBuffer> | string,
    headers: Record<string, string>,
  ): Promise<Sent | { readonly again: string; readonly afterMs?: number | undefined }> {
    const { url, timeoutMs } = this.#destination;
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stop.signal]);
      // Credentials are sent only to the address that the operator configured.
      const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (answer.ok) return { ok: true, ...this.#rejectedIn(bytes) };
      const reason = `it answered ${answer.status}${wordsIn(bytes, this.isJson)}`;
      if (!AGAIN.has(answer.status)) return { ok: false, reason };
      return {
        again: reason,
        afterMs: retryAfterMs(answer.headers, undefined, this.#deps.clock.now()),
      };
    } catch (error) {
      const { name, message } = error as Error;
      return { again: name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : message };
    }
  }

  /** The content of a partial success. */
  #rejectedIn(bytes: Uint8Array): { rejected: number; words: string } {
    try {
      return this.isJson ? rejectedInJson(bytes) : rejectedInProtobuf(bytes);
    } catch {
      // A collector that answers with something else has accepted the data nevertheless.
      return { rejected: 0, words: '' };
    }
  }
}

function wordsIn(bytes: Uint8Array, isJson: boolean): string {
  const text = new TextDecoder().decode(isJson ? bytes : bytes.filter((byte) => byte >= 0x20 && byte < 0x7f));
  const words = text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_WORDS);
  return words === '' ? '' : `: ${words}`;
}

function rejectedInJson(bytes: Uint8Array): { rejected: number; words: string } {
  const { partialSuccess } = JSON.parse(new TextDecoder().decode(bytes)) as {
    partialSuccess?: { rejectedSpans?: string; rejectedDataPoints?: string; errorMessage?: string };
  };
  const { rejectedSpans, rejectedDataPoints, errorMessage = '' } = partialSuccess ?? {};
  return {
    rejected: Number(rejectedSpans ?? rejectedDataPoints ?? 0),
    words: errorMessage.slice(0, MAX_WORDS),
  };
}

/** Field 1 of the response is the partial success; its field 1 is the number of rejected items, and 2 the reason. */
function rejectedInProtobuf(bytes: Uint8Array): { rejected: number; words: string } {
  const found = { rejected: 0, words: '' };
  for (const [number, inner] of fieldsOf(bytes)) {
    if (number !== 1 || typeof inner === 'number') continue;
    for (const [name, value] of fieldsOf(inner)) {
      if (name === 1 && typeof value === 'number') found.rejected = value;
      if (name === 2 && typeof value !== 'number')
        found.words = new TextDecoder().decode(value).slice(0, MAX_WORDS);
    }
  }
  return found;
}

function* fieldsOf(bytes: Uint8Array): Generator<readonly [number: number, value: number | Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('cut');
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if (tag % 8 === 0) yield [tag >> 3, value];
    else if (tag % 8 === 2) yield [tag >> 3, bytes.subarray(at, (at += value))];
    else return;
  }
}
