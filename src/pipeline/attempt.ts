import type { Clock } from '../clock.ts';
import type { UpstreamReply } from '../providers/base.ts';
import type { Assembler } from '../wire/assemble.ts';
import type { Inbound } from './inbound.ts';
import type { Prepared, WholeAnswer } from './lane.ts';
import type { Target } from './target.ts';
import { ProxyError } from '../errors.ts';
import { networkError } from '../providers/transport.ts';
import { chatAssembler, completionAssembler } from '../wire/assemble.ts';
import { classifyStatus } from '../wire/classify.ts';
import { encodingOf, inflate } from '../wire/encoding.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { joined } from '../wire/frames.ts';
import { isObject, parseJson } from '../wire/json.ts';
import { retryAfterMs } from '../wire/retry-after.ts';
import { Flow } from './flow.ts';
import { laneFor } from './lanes.ts';
import { Tap } from './tap.ts';
import { Watchdog } from './watchdog.ts';

export interface AttemptLimits {
  /** Largest unstreamed answer, bytes. */
  readonly maxResponse: number;
  /** How much of an answer is kept for the record, bytes. */
  readonly maxContent: number;
}

export interface AttemptDeps {
  readonly clock: Clock;
  readonly limits: AttemptLimits;
}

/** An answer that may be given to the client: from here on nothing is tried elsewhere. */
export interface Opened {
  readonly target: Target;
  readonly lane: 'relay' | 'translate';
  readonly status: number;
  readonly headers: Headers;
  readonly dropped: readonly string[];
  readonly answer: Whole | Streamed;
}

export interface Whole extends Pick<WholeAnswer, 'finish' | 'usage'> {
  readonly kind: 'whole';
  readonly body: Uint8Array<ArrayBuffer>;
  /** Size of the body. */
  readonly bytes: number;
  /** The answer as JSON text, for the record; `undefined` when it is no JSON. */
  readonly text: string | undefined;
}

export interface Streamed {
  readonly kind: 'stream';
  readonly flow: Flow;
  /** What was read until the first content came. */
  readonly held: Uint8Array | undefined;
  /** Ends the attempt's timers. */
  readonly release: () => void;
}

const utf8 = new TextDecoder();

/** Bodies up to this size are read at once, bytes. */
const SHORT_BODY = 256 * 1024;

/** How much of an error body is worth reading. */
const MAX_ERROR_BODY = 64 * 1024;

const DEFAULTS = { streamed: 60_000, whole: 300_000, first_content: 120_000, idle: 120_000 } as const;

/** One request to one target, until its answer may be given to the client. Nothing here is repeated. */
export class Attempt {
  readonly #inbound: Inbound;
  readonly #target: Target;
  readonly #deps: AttemptDeps;
  readonly #abort = new AbortController();
  readonly #watchdog: Watchdog;
  readonly #cancelTotal: (() => void) | undefined;
  readonly #client: AbortSignal;
  #phase: 'first_byte' | 'first_content' | 'idle' = 'first_byte';
  /** HTTP status of the provider, once it answered. */
  status: number | null = null;

  /** @param client aborts with a ProxyError: the client left, or the deadline passed */
  constructor(inbound: Inbound, target: Target, client: AbortSignal, deps: AttemptDeps) {
    this.#inbound = inbound;
    this.#target = target;
    this.#deps = deps;
    this.#client = client;
    const { first_byte, total } = target.provider.settings.timeouts;
    const firstByte = first_byte ?? (inbound.stream ? DEFAULTS.streamed : DEFAULTS.whole);
    this.#watchdog = new Watchdog(deps.clock, firstByte, () => this.#timeout(`timeout_${this.#phase}`));
    this.#cancelTotal =
      total === undefined ? undefined : deps.clock.after(total, () => this.#timeout('timeout_total'));
    client.addEventListener('abort', this.#follow, { once: true });
    if (client.aborted) this.#follow();
  }

  /**
   * Sends the request and reads until the answer may be committed: the whole body of an unstreamed one, the
   * first content of a streamed one.
   * @throws ProxyError of the fault that happened
   */
  async open(): Promise<Opened> {
    try {
      return await this.#open();
    } catch (error) {
      this.#release();
      this.#abort.abort(error);
      throw error;
    }
  }

  /** Ends an attempt that has not opened yet. @param reason a ProxyError */
  cancel(reason: unknown): void {
    this.#abort.abort(reason);
  }

  async #open(): Promise<Opened> {
    const target = this.#target;
    const lane = laneFor(target.provider.protocol);
    const prepared = lane.prepare(this.#inbound, target.model, this.#deps.clock.now());
    const { endpoint, stream } = this.#inbound;
    const { body, contentType, headers } = prepared;
    const call = { endpoint, model: target.model, stream, body, contentType, headers };
    const reply = await target.provider.send(call, this.#abort.signal);
    this.status = reply.status;
    this.#enter('idle');
    if (reply.status < 200 || reply.status > 299) throw await this.#failed(reply);
    const answer = await this.#answer(reply, prepared);
    const { status, headers: replied } = reply;
    return { target, lane: lane.kind, status, headers: replied, dropped: prepared.dropped, answer };
  }

  async #answer(reply: UpstreamReply, prepared: Prepared): Promise<Whole | Streamed> {
    const type = reply.headers.get('content-type') ?? '';
    const sse = type.includes('text/event-stream');
    if (!ENDPOINTS[this.#inbound.endpoint].understood) {
      return sse || !type.includes('json') ? this.#pass(reply) : this.#whole(reply, undefined);
    }
    return this.#inbound.stream && sse
      ? await this.#stream(reply, prepared)
      : await this.#whole(reply, prepared);
  }

  /** An unstreamed answer. A client that asked for a stream gets none the worse for an upstream without. */
  async #whole(reply: UpstreamReply, prepared: Prepared | undefined): Promise<Whole> {
    const bytes = await this.#readAll(reply, this.#deps.limits.maxResponse);
    const text = this.#decode(bytes, reply.headers);
    this.#release();
    const size = bytes.length;
    if (!prepared) {
      const json = isObject(parseJson(text)) ? text : undefined;
      return { kind: 'whole', body: bytes, bytes: size, text: json, finish: null, usage: undefined };
    }
    const { text: translated, finish, usage } = prepared.whole(text, this.#target.id);
    if (translated === undefined) return { kind: 'whole', body: bytes, bytes: size, text, finish, usage };
    const body = new TextEncoder().encode(translated);
    return { kind: 'whole', body, bytes: body.length, text: translated, finish, usage };
  }

  async #stream(reply: UpstreamReply, prepared: Prepared): Promise<Streamed> {
    this.#enter('first_content');
    const tap = new Tap(ASSEMBLERS[this.#inbound.endpoint] ?? chatAssembler, this.#deps.limits.maxContent);
    const flow = this.#flow(reply, { tap, fold: prepared.fold(tap, this.#target.id) });
    let held: Uint8Array | undefined;
    while (!tap.content && !tap.finished && !tap.done) {
      const bytes = await flow.next();
      if (tap.error && !tap.content) throw tap.error;
      if (bytes === undefined) {
        // Complete with its last event, or cut before any content: `finish` tells.
        held = joined(held, flow.finish() ?? new Uint8Array());
        break;
      }
      if (bytes.length > 0) held = joined(held, bytes);
    }
    this.#enter('idle');
    return { kind: 'stream', flow, held, release: this.#release };
  }

  /** An answer nobody looks into: sound, pictures. */
  #pass(reply: UpstreamReply): Streamed {
    return { kind: 'stream', flow: this.#flow(reply, undefined), held: undefined, release: this.#release };
  }

  #flow(reply: UpstreamReply, reading: ConstructorParameters<typeof Flow>[0]['reading']): Flow {
    const body = reply.body ?? new Response('').body!;
    return new Flow({
      reader: body.getReader() as ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
      reading,
      raw: this.#target.provider.protocol === 'openai',
      encoding: this.#encoding(reply.headers),
      target: this.#target.id,
      signal: this.#abort.signal,
      heard: () => this.#watchdog.touch(),
    });
  }

  async #readAll(reply: UpstreamReply, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const declared = Number(reply.headers.get('content-length') ?? Number.NaN);
    // A short body arrives in one piece: reading it at once costs a fifth less than by chunks.
    if (declared <= SHORT_BODY && declared <= maxBytes && reply.body)
      return await this.#readShort(reply.body);
    const flow = this.#flow(reply, undefined);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const bytes = await flow.next();
      if (bytes === undefined) break;
      length += bytes.length;
      if (length > maxBytes) {
        await flow.cancel('too large');
        throw this.#error('malformed', `its answer is larger than ${maxBytes} bytes (limits.max_response)`);
      }
      chunks.push(bytes);
    }
    if (chunks.length === 1) return chunks[0] as Uint8Array<ArrayBuffer>;
    const whole = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  async #readShort(body: NonNullable<UpstreamReply['body']>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return new Uint8Array(await new Response(body).arrayBuffer());
    } catch (cause) {
      throw this.#abort.signal.aborted ? this.#abort.signal.reason : networkError(this.#target.id, cause);
    }
  }

  /** The provider's error answer as a typed error. */
  async #failed(reply: UpstreamReply): Promise<ProxyError> {
    const bytes = await this.#readAll(reply, MAX_ERROR_BODY);
    const body = this.#decode(bytes, reply.headers);
    const target = this.#target.id;
    const { fault, upstream } = classifyStatus(reply.status, reply.headers, body);
    // What a provider says about a key it refused may quote the key.
    const words = upstream.message === '' || fault === 'auth' ? '' : `: ${upstream.message}`;
    const state = fault === 'auth' ? 'it refused our key with' : 'it answered';
    return new ProxyError(fault, `Cannot get an answer from ${target}: ${state} ${reply.status}${words}`, {
      target,
      retryAfterMs: retryAfterMs(reply.headers, body, this.#deps.clock.now()),
      upstream,
    });
  }

  #encoding(headers: Headers): ReturnType<typeof encodingOf> & string {
    const encoding = encodingOf(headers.get('content-encoding'));
    if (encoding) return encoding;
    throw this.#error('malformed', `its answer has the unknown encoding ${headers.get('content-encoding')}`);
  }

  #decode(bytes: Uint8Array<ArrayBuffer>, headers: Headers): string {
    const encoding = this.#encoding(headers);
    if (encoding === 'identity') return utf8.decode(bytes);
    try {
      return utf8.decode(inflate(bytes, encoding, this.#deps.limits.maxResponse));
    } catch (cause) {
      throw this.#error('malformed', 'its answer is not compressed as it says', cause);
    }
  }

  #error(fault: 'malformed', state: string, cause?: unknown): ProxyError {
    const target = this.#target.id;
    return new ProxyError(fault, `Cannot use the answer of ${target}: ${state}`, { target, cause });
  }

  #enter(phase: 'first_content' | 'idle'): void {
    this.#phase = phase;
    const { timeouts } = this.#target.provider.settings;
    this.#watchdog.reset(timeouts[phase] ?? DEFAULTS[phase]);
  }

  #timeout(fault: 'timeout_first_byte' | 'timeout_first_content' | 'timeout_idle' | 'timeout_total'): void {
    const target = this.#target.id;
    const what = { first_byte: 'no answer', first_content: 'no content', idle: 'silence', total: 'not done' };
    const phase = fault.slice('timeout_'.length) as keyof typeof what;
    const error = new ProxyError(
      fault,
      `Cannot wait longer for ${target}: ${what[phase]} within timeout.${phase}`,
      {
        target,
      },
    );
    this.#abort.abort(error);
  }

  readonly #follow = (): void => this.#abort.abort(this.#client.reason);

  readonly #release = (): void => {
    this.#watchdog.stop();
    this.#cancelTotal?.();
    this.#client.removeEventListener('abort', this.#follow);
  };
}

const ASSEMBLERS: Partial<Record<Inbound['endpoint'], () => Assembler>> = {
  chat: chatAssembler,
  completions: completionAssembler,
};
