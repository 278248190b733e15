/**
 * The head of a stream before any target has begun to answer, for proxies in between that close silent connections: a
 * model may think for minutes. Targets are tried as always; only the status of an error comes too late then.
 */
import type { Clock } from '../clock.ts';
import type { Inbound } from '../pipeline/inbound.ts';
import type { Exchange } from '../pipeline/record/exchange.ts';
import type { ProxyError } from '../errors.ts';
import { toProxyError } from '../errors.ts';
import { finishFailed } from '../pipeline/pipeline.ts';
import { randomId } from '../pipeline/random-id.ts';
import { clientOf } from '../wire/clients.ts';
import { saysWhy } from '../wire/endpoints.ts';
import { eventsText } from '../wire/long-events.ts';
import { chatErrorEvent } from '../wire/openai/error.ts';
import { FORM_TYPES, keepAlive, reformed } from '../wire/stream-form.ts';

interface Early {
  readonly inbound: Inbound;
  readonly exchange: Exchange;
  readonly clock: Pick<Clock, 'after' | 'now'>;
  /** The time before the head is sent, and between what is sent until the answer begins, milliseconds. */
  readonly afterMs: number;
  readonly everyMs: number;
  /** The client has disconnected. */
  readonly left: () => void;
  readonly problem: (error: ProxyError) => void;
}

const readerOf = (body: ReadableStream<Uint8Array>) => body.getReader();

type Reader = ReturnType<typeof readerOf>;

const encoder = new TextEncoder();

/** Whether the head of the answer may be sent early: that of a stream whose client expects errors within it. */
export function mayBeEarly({ endpoint, stream, json }: Inbound): boolean {
  return stream && json !== undefined && saysWhy(endpoint);
}

/** The answer if it begins in time; otherwise its head, with the answer to follow. @throws as the answer does */
export async function withEarlyHead(replying: Promise<Response>, early: Early): Promise<Response> {
  const late = Promise.withResolvers<undefined>();
  const cancel = early.clock.after(early.afterMs, () => late.resolve(undefined));
  const first = await Promise.race([replying, late.promise]).finally(cancel);
  if (first) return first;
  const { inbound, exchange } = early;
  return new Response(new ReadableStream(new EarlyBody(replying, early)), {
    headers: {
      'content-type': FORM_TYPES[inbound.form],
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-request-id': exchange.id,
      ...exchange.limitHeaders,
    },
  });
}

class EarlyBody {
  readonly #replying: Promise<Response>;
  readonly #early: Early;
  #reader: Reader | undefined;
  #stopWaiting: () => void = () => undefined;
  #isOver = false;

  constructor(replying: Promise<Response>, early: Early) {
    this.#replying = replying;
    this.#early = early;
    // Nobody may have asked for more when it fails.
    replying.catch(() => undefined);
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#fill(controller);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      this.#reader ??= await this.#begun();
      const { done, value } = await this.#reader.read();
      if (this.#isOver) return;
      if (done) controller.close();
      else controller.enqueue(value);
    } catch (thrown) {
      this.#fail(controller, toProxyError(thrown));
    }
  }

  async cancel(reason: unknown): Promise<void> {
    this.#isOver = true;
    this.#stopWaiting();
    if (this.#reader) await this.#reader.cancel(reason);
    else this.#early.left();
  }

  /** Fills the silence until the answer begins. */
  #fill(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { inbound, clock, everyMs } = this.#early;
    controller.enqueue(encoder.encode(keepAlive(inbound.form, undefined)));
    this.#stopWaiting = clock.after(everyMs, () => this.#fill(controller));
  }

  /** @throws as the answer does */
  async #begun(): Promise<Reader> {
    const { body } = await this.#replying.finally(() => this.#stopWaiting());
    const reader = readerOf(body ?? new Response('').body!);
    // The client left at the moment the answer began.
    if (this.#isOver) await reader.cancel();
    return reader;
  }

  /** An error as the end of the stream, in the client's protocol. */
  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: ProxyError): void {
    const { inbound, exchange, clock, problem } = this.#early;
    if (error.fault === 'internal') problem(error);
    finishFailed(exchange, error, 200);
    if (this.#isOver) return;
    controller.enqueue(
      reformed(encoder.encode(failure(inbound, error, exchange.id, clock.now())), inbound.form),
    );
    controller.close();
  }
}

function failure(inbound: Inbound, error: ProxyError, id: string, nowMs: number): string {
  const { endpoint, json } = inbound;
  const context = {
    requested: inbound,
    created: Math.floor(nowMs / 1000),
    newId: () => randomId(Math.random),
    memory: NO_MEMORY,
  };
  try {
    return eventsText(clientOf(endpoint).decode(json!.value, context).stream().fail(error, id));
  } catch {
    // It is the request that cannot be read, or it has no canonical form.
    return chatErrorEvent(error, id);
  }
}

const NO_MEMORY = { get: () => undefined, set: () => undefined };
