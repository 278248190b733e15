import type { Clock } from '../../clock.ts';
import type { Restorer } from '../../redact/outward/restorer.ts';
import type { Steps, Turns } from '../../turns.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { ProtocolName } from '../../wire/protocol.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Inbound } from '../inbound.ts';
import type { Prepared } from '../lanes/lane.ts';
import type { Defects } from '../streams/defects.ts';
import type { ReplyReader } from '../streams/reply-reader.ts';
import type { Tap } from '../streams/tap.ts';
import type { AttemptTimers } from '../streams/timers.ts';
import type { Streamed, Whole } from './attempting.ts';
import { concatInSteps, decodeInSteps, encodeInSteps } from '../../wire/bytes.ts';
import { requestedUnits } from '../../wire/charged.ts';
import { ENDPOINTS } from '../../wire/endpoints.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { judge } from '../lanes/judge.ts';
import { restoredText } from '../redaction.ts';
import type { Flow } from '../streams/flow.ts';
import { unread } from '../streams/reading.ts';
import { reportedUsageIn } from '../streams/reported-usage.ts';
import { UsageFinder } from '../streams/usage-finder.ts';

export interface AnswerReadingOptions {
  readonly inbound: Inbound;
  /** "provider/model", for errors. */
  readonly target: string;
  /** The protocol of the answer, and the properties of the model that determine how its usage is read. */
  readonly protocol: ProtocolName | Endpoint;
  readonly quirks: Quirks;
  /** Restores what was redacted in the request; `undefined` if nothing is. */
  readonly restorer: Restorer | undefined;
  readonly timers: AttemptTimers;
  /** Stops the attempt's timers. */
  readonly release: () => void;
  /** How much of an answer is kept for the record, bytes. */
  readonly maxContent: number;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly defects: Defects;
}

/** How much of an answer shows whether it is a page, bytes. */
const START = 256;

/** JSON up to this size is read before it is passed on, bytes. */
const SHORT = 64 * 1024;

/**
 * Endpoints whose answer may be a text, which is empty for a recording in which nobody speaks. Some servers label it as
 * JSON.
 */
const MAY_BE_TEXT: ReadonlySet<Endpoint> = new Set(['audio.transcriptions', 'audio.translations']);

/** Reads a successful response until it may be sent to the client. */
export class AnswerReading {
  readonly #reader: ReplyReader;
  readonly #prepared: Prepared;
  readonly #options: AnswerReadingOptions;
  #text: string | undefined;
  #tap: Tap | undefined;
  /** When data last arrived from the provider, on the monotonic clock. */
  heardMs: number | undefined;

  constructor(reader: ReplyReader, prepared: Prepared, options: AnswerReadingOptions) {
    this.#reader = reader;
    this.#prepared = prepared;
    this.#options = options;
  }

  /** The usage that the answer has reported so far. */
  get reported(): Usage | undefined {
    if (this.#tap) return this.#tap.usage;
    const { protocol, quirks } = this.#options;
    return this.#text === undefined ? undefined : reportedUsageIn(this.#text, protocol, quirks);
  }

  /**
   * The whole body of an unstreamed answer, or a streamed one with its first content.
   * @throws ProxyError when it is an error, or cannot be read
   */
  answer(): Promise<Whole | Streamed> {
    const { endpoint, stream } = this.#options.inbound;
    if (!ENDPOINTS[endpoint].understood) return this.#pass();
    if (!stream) return this.#whole();
    const type = this.#reader.headers['content-type'] ?? '';
    return /\b(?:json|html)\b/.test(type) ? this.#doubtful() : this.#stream();
  }

  /**
   * A streamed answer with another content type: an error page, a server that does not stream, or one that only labels
   * its stream wrongly. Its first byte decides.
   */
  async #doubtful(): Promise<Whole | Streamed> {
    const first = await this.#reader.peek();
    const packed = this.#reader.encoding !== 'identity';
    return packed || /^\s*(?:[<{[]|$)/.test(first) ? this.#unstreamed() : this.#stream();
  }

  async #whole(): Promise<Whole> {
    const { turns, release } = this.#options;
    const bytes = await this.#reader.bytes();
    this.#hears();
    release();
    const given = (this.#text = await this.#reader.text(bytes));
    const text = await this.#restored(given);
    const {
      text: translated,
      finish,
      usage,
      lost,
    } = await this.#read((target) => this.#prepared.whole(text, target));
    if (translated === undefined) {
      const body = this.#reader.unpacks || text !== given ? await turns.run(encodeInSteps(text)) : bytes;
      const made = text === given ? {} : { made: 'application/json' as const };
      return { kind: 'whole', body, text, finish, usage, ...made };
    }
    const body = typeof translated === 'string' ? await turns.run(encodeInSteps(translated)) : translated;
    return {
      kind: 'whole',
      body,
      text: await this.#textOf(translated),
      finish,
      usage,
      lost,
      made: 'application/json',
    };
  }

  /** A whole answer with the redacted values of its request restored. */
  #restored(text: string): string | Promise<string> {
    const { restorer, turns } = this.#options;
    return restorer?.occursIn(text) ? turns.run(restoredText(text, restorer)) : text;
  }

  /** An answer made here, as text for the record; `undefined` when it is too long. */
  #textOf(made: string | Uint8Array): string | undefined | Promise<string> {
    if (typeof made === 'string') return made;
    const { maxContent, turns } = this.#options;
    return made.length > maxContent ? undefined : turns.run(decodeInSteps(made, false));
  }

  /** Converts a whole answer to a stream, if a stream was requested. */
  async #unstreamed(): Promise<Whole> {
    const { release } = this.#options;
    const bytes = await this.#reader.bytes();
    this.#hears();
    release();
    const given = await this.#restored((this.#text = await this.#reader.text(bytes)));
    const prepared = this.#prepared;
    const { wholeAsStream } = prepared;
    const { text: made, finish, usage, lost } = await this.#read((target) => prepared.whole(given, target));
    const body = wholeAsStream && (await this.#read((target) => wholeAsStream(given, target)));
    if (body === undefined) throw this.#reader.malformed('it is not a stream');
    const text = await this.#textOf(made ?? given);
    return { kind: 'whole', body, text, finish, usage, lost, made: 'text/event-stream' };
  }

  async #stream(): Promise<Streamed> {
    const { target, timers, release, maxContent, turns } = this.#options;
    const tap = (this.#tap = this.#prepared.tap(maxContent));
    const flow = this.#reader.flow({ tap, fold: this.#prepared.fold(tap, target) });
    const held: Uint8Array[] = [];
    while (!tap.content && !tap.finished && !tap.done) {
      const bytes = await flow.next();
      this.#hears();
      if (bytes === undefined) {
        // Complete with its last event, or cut off before any content: `finish` tells.
        held.push(flow.finish() ?? new Uint8Array());
        break;
      }
      if (tap.error && !tap.content) throw tap.error;
      if (bytes.length > 0) held.push(bytes);
    }
    if (!tap.content && !tap.finished) throw this.#reader.malformed('it ends without any content');
    timers.begun();
    const beginning = held.length > 1 ? await turns.run(concatInSteps(held)) : held[0];
    return { kind: 'stream', flow, held: beginning, release };
  }

  /** An answer that is not parsed, such as audio or images, once it has begun. Its usage is searched for as it passes. */
  async #pass(): Promise<Streamed> {
    const { inbound, release } = this.#options;
    const finder = new UsageFinder(inbound.endpoint, requestedUnits(inbound));
    const flow = this.#reader.flow(undefined, { unpacks: this.#reader.unpacks, finder });
    let held = await flow.next();
    while (held?.length === 0) held = await flow.next();
    this.#hears();
    if (held === undefined && !MAY_BE_TEXT.has(inbound.endpoint)) throw this.#reader.malformed('it is empty');
    // A page of a gateway. Some servers label plain text as HTML.
    const type = this.#reader.headers['content-type'] ?? '';
    if (held && /\bhtml\b/.test(type) && /^\s*</.test(new TextDecoder().decode(held.subarray(0, START))))
      throw this.#reader.malformed('it is an HTML page');
    const readable = this.#reader.unpacks || this.#reader.encoding === 'identity';
    if (held && readable && /\bjson\b/.test(type)) held = await this.#shortJson(flow, held);
    return { kind: 'stream', flow, held, release };
  }

  /**
   * The beginning of JSON that is passed on, all of it if it is short: it must be an answer then, and neither an error
   * nor empty.
   */
  async #shortJson(flow: Flow, first: Uint8Array): Promise<Uint8Array> {
    const pieces = [first];
    for (let size = first.length; size <= SHORT; size += pieces.at(-1)!.length) {
      const next = await flow.next();
      if (next === undefined) {
        const whole = Buffer.concat(pieces);
        this.#judgeJson(whole);
        return whole;
      }
      pieces.push(next);
    }
    return Buffer.concat(pieces);
  }

  #judgeJson(bytes: Uint8Array): void {
    const { target, inbound } = this.#options;
    const isText = MAY_BE_TEXT.has(inbound.endpoint);
    const value = parseJson(new TextDecoder().decode(bytes));
    if (isObject(value)) judge(value, target);
    if (isText && (value === undefined || typeof value === 'string')) return;
    if (value === undefined) throw this.#reader.malformed('it is not valid JSON');
    if (value === null || typeof value !== 'object' || Object.keys(value).length === 0)
      throw this.#reader.malformed(`it is ${JSON.stringify(value)}`);
  }

  #hears(): void {
    this.heardMs = this.#options.clock.monotonic();
  }

  #read<T>(steps: (target: string) => Steps<T>): T | Promise<T> {
    const { target, turns, defects } = this.#options;
    const fail = (thrown: unknown): never => {
      throw unread(target, defects, thrown);
    };
    try {
      const read = turns.run(steps(target));
      return read instanceof Promise ? read.catch(fail) : read;
    } catch (thrown) {
      return fail(thrown);
    }
  }
}
