/**
 * OTLP's messages in protobuf. They are few and do not change, so a table of their fields and forty lines of encoding
 * replace a library of a megabyte. @see https://protobuf.dev/programming-guides/encoding/
 */
import type { MetricsRequest, TracesRequest } from './tree.ts';

/** The encoding of a field. */
type Kind =
  | 'string'
  | 'hex'
  | 'bool'
  | 'enum'
  | 'int64'
  | 'fixed64'
  | 'fixed32'
  | 'double'
  | 'packedFixed64'
  | 'packedDouble';

type Field = readonly [number: number, kind: Kind | Message, repeated?: 'repeated'];

interface Message {
  readonly [name: string]: Field;
}

const anyValue: Message = {
  stringValue: [1, 'string'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
  get arrayValue(): Field {
    return [5, arrayValue];
  },
};
const arrayValue: Message = { values: [1, anyValue, 'repeated'] };
const keyValue: Message = { key: [1, 'string'], value: [2, anyValue] };
const resource: Message = { attributes: [1, keyValue, 'repeated'] };
const scope: Message = { name: [1, 'string'], version: [2, 'string'] };

const span: Message = {
  traceId: [1, 'hex'],
  spanId: [2, 'hex'],
  traceState: [3, 'string'],
  parentSpanId: [4, 'hex'],
  name: [5, 'string'],
  kind: [6, 'enum'],
  startTimeUnixNano: [7, 'fixed64'],
  endTimeUnixNano: [8, 'fixed64'],
  attributes: [9, keyValue, 'repeated'],
  status: [15, { message: [2, 'string'], code: [3, 'enum'] }],
  flags: [16, 'fixed32'],
};

const numberPoint: Message = {
  attributes: [7, keyValue, 'repeated'],
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  asDouble: [4, 'double'],
  asInt: [6, 'fixed64'],
};

const histogramPoint: Message = {
  attributes: [9, keyValue, 'repeated'],
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, 'packedFixed64'],
  explicitBounds: [7, 'packedDouble'],
};

const metric: Message = {
  name: [1, 'string'],
  description: [2, 'string'],
  unit: [3, 'string'],
  gauge: [5, { dataPoints: [1, numberPoint, 'repeated'] }],
  sum: [
    7,
    {
      dataPoints: [1, numberPoint, 'repeated'],
      aggregationTemporality: [2, 'enum'],
      isMonotonic: [3, 'bool'],
    },
  ],
  histogram: [9, { dataPoints: [1, histogramPoint, 'repeated'], aggregationTemporality: [2, 'enum'] }],
};

const tracesRequest: Message = {
  resourceSpans: [
    1,
    {
      resource: [1, resource],
      scopeSpans: [2, { scope: [1, scope], spans: [2, span, 'repeated'] }, 'repeated'],
    },
    'repeated',
  ],
};

const metricsRequest: Message = {
  resourceMetrics: [
    1,
    {
      resource: [1, resource],
      scopeMetrics: [2, { scope: [1, scope], metrics: [2, metric, 'repeated'] }, 'repeated'],
    },
    'repeated',
  ],
};

export function encodeTraces(request: TracesRequest): Uint8Array<ArrayBuffer> {
  return encoded(request, tracesRequest);
}

export function encodeMetrics(request: MetricsRequest): Uint8Array<ArrayBuffer> {
  return encoded(request, metricsRequest);
}

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function encoded(value: object, message: Message): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.message(value, message);
  return writer.bytes();
}

/** A growing buffer. */
class Writer {
  #memory = Buffer.from(new ArrayBuffer(16_384));
  #length = 0;

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, this.#memory.byteOffset, this.#length);
  }

  message(value: object, message: Message): void {
    const fields = value as Readonly<Record<string, unknown>>;
    for (const name in fields) {
      const field = message[name];
      const given = fields[name];
      if (!field || given === undefined) continue;
      const [number, kind, repeated] = field;
      if (repeated) for (const each of given as readonly unknown[]) this.#field(number, kind, each);
      else this.#field(number, kind, given);
    }
  }

  #field(number: number, kind: Kind | Message, value: unknown): void {
    if (typeof kind === 'object') {
      const start = this.#open(number);
      this.message(value as object, kind);
      return this.#close(start);
    }
    switch (kind) {
      case 'string':
        return this.#text(number, value as string, 'utf8');
      case 'hex':
        return this.#text(number, value as string, 'hex');
      case 'bool':
        this.#varint(number * 8 + VARINT);
        return this.#varint(value === true ? 1 : 0);
      case 'enum':
        this.#varint(number * 8 + VARINT);
        return this.#varint(value as number);
      case 'int64':
        this.#varint(number * 8 + VARINT);
        return this.#large(BigInt.asUintN(64, BigInt(value as string)));
      case 'fixed32':
        this.#varint(number * 8 + FIXED32);
        this.#length = this.#memory.writeUInt32LE(value as number, this.#room(4));
        return;
      case 'fixed64':
        this.#varint(number * 8 + FIXED64);
        return this.#fixed64(value as string);
      case 'double':
        this.#varint(number * 8 + FIXED64);
        return this.#double(value as number);
      case 'packedFixed64':
      case 'packedDouble': {
        const start = this.#open(number);
        if (kind === 'packedFixed64') for (const each of value as readonly string[]) this.#fixed64(each);
        else for (const each of value as readonly number[]) this.#double(each);
        return this.#close(start);
      }
    }
  }

  /** Begins a length-delimited field. @returns the position of its content */
  #open(number: number): number {
    this.#varint(number * 8 + BYTES);
    return this.#length;
  }

  /** Inserts the length before the content, which is moved. */
  #close(start: number): void {
    const length = this.#length - start;
    const size =
      length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
    this.#room(size);
    this.#memory.copyWithin(start + size, start, this.#length);
    this.#length = start;
    this.#varint(length);
    this.#length = start + size + length;
  }

  #text(number: number, text: string, encoding: 'utf8' | 'hex'): void {
    this.#varint(number * 8 + BYTES);
    const length = Buffer.byteLength(text, encoding);
    this.#varint(length);
    const at = this.#room(length);
    this.#length = at + this.#memory.write(text, at, encoding);
  }

  #varint(value: number): void {
    let at = this.#room(10);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#memory[at++] = (rest % 128) | 0x80;
    this.#memory[at++] = rest;
    this.#length = at;
  }

  #large(value: bigint): void {
    if (value <= Number.MAX_SAFE_INTEGER) return this.#varint(Number(value));
    let at = this.#room(10);
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#memory[at++] = Number(rest & 0x7fn) | 0x80;
    this.#memory[at++] = Number(rest);
    this.#length = at;
  }

  #fixed64(value: string): void {
    this.#length = this.#memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.#room(8));
  }

  #double(value: number): void {
    this.#length = this.#memory.writeDoubleLE(value, this.#room(8));
  }

  /** Reserves room. @returns where to write */
  #room(bytes: number): number {
    const end = this.#length + bytes;
    if (end > this.#memory.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(end, 2 * this.#memory.length)));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    return this.#length;
  }
}
