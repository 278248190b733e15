import type { Fold } from './lane.ts';
import type { Tap } from './tap.ts';
import type { Encoding } from '../wire/encoding.ts';
import { networkError } from '../providers/transport.ts';
import { Inflater } from '../wire/encoding.ts';
import { joined } from '../wire/frames.ts';
import { ProxyError } from '../errors.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** How an answer in progress is read. `signal` ends it; its reason says why. */
export interface FlowOptions {
  readonly reader: Reader;
  /** Whether compressed bytes go to the client as they came, as on the relay lane. */
  readonly raw: boolean;
  /** Left out when the answer is only passed on. */
  readonly reading: { readonly fold: Fold; readonly tap: Tap } | undefined;
  readonly encoding: Encoding | 'identity';
  readonly target: string;
  readonly signal: AbortSignal;
  /** Something arrived. */
  readonly heard: () => void;
}

/** An answer on its way: upstream chunks in, client chunks out, one at a time. */
export class Flow {
  readonly #options: FlowOptions;
  readonly #inflater: Inflater | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { reading, encoding } = options;
    // Compressed bytes are relayed as they are; only the tap looks inside.
    this.#inflater = reading && encoding !== 'identity' ? new Inflater(encoding) : undefined;
  }

  /** Whether the client has seen the provider's own error event: only a relayed stream shows it. */
  get told(): boolean {
    return this.#options.raw && this.tap?.error !== undefined;
  }

  get tap(): Tap | undefined {
    return this.#options.reading?.tap;
  }

  /** Whether events of our own may be put between the provider's. */
  get open(): boolean {
    return this.#options.reading !== undefined && !(this.#inflater && this.#options.raw);
  }

  /**
   * The next bytes for the client, which may be none; `undefined` at the end of the upstream's body.
   * @throws ProxyError `network` or `malformed`, or the signal's reason
   */
  async next(): Promise<Uint8Array | undefined> {
    const { value, done } = await this.#read();
    if (done) return undefined;
    this.#options.heard();
    const { reading } = this.#options;
    if (!reading) return value;
    if (!this.#inflater) return reading.fold.push(value) ?? EMPTY;
    let folded: Uint8Array = EMPTY;
    for (const inflated of await this.#inflate(this.#inflater, value)) {
      folded = joined(folded, reading.fold.push(inflated) ?? EMPTY);
    }
    return this.#options.raw ? value : folded;
  }

  /**
   * The upstream's body ended: what the client is still owed.
   * @throws ProxyError `truncated` when the answer is not complete
   */
  finish(): Uint8Array | undefined {
    const { reading, target } = this.#options;
    this.#inflater?.close();
    if (!reading) return undefined;
    const rest = reading.fold.end();
    const { tap } = reading;
    if (tap.error) throw tap.error;
    if (!tap.finished && !tap.done) {
      throw new ProxyError('truncated', `Cannot complete the answer of ${target}: its stream was cut`, {
        target,
      });
    }
    return this.open ? rest : undefined;
  }

  /** Lets go of the upstream. */
  async cancel(reason: unknown): Promise<void> {
    this.#inflater?.close();
    await this.#options.reader.cancel(reason).catch(ignoreClosed);
  }

  async #read(): Promise<Awaited<ReturnType<Reader['read']>>> {
    const { reader, signal, target } = this.#options;
    try {
      return await reader.read();
    } catch (cause) {
      throw signal.aborted ? signal.reason : networkError(target, cause);
    }
  }

  async #inflate(inflater: Inflater, bytes: Uint8Array): Promise<Uint8Array[]> {
    try {
      return await inflater.push(bytes);
    } catch (cause) {
      const { target } = this.#options;
      throw new ProxyError(
        'malformed',
        `Cannot read the stream of ${target}: it is not compressed as it says`,
        {
          target,
          cause,
        },
      );
    }
  }
}

const EMPTY = new Uint8Array();

/** A body that already failed rejects its cancellation with the failure everyone knows by then. */
function ignoreClosed(_error: unknown): undefined {
  return undefined;
}
