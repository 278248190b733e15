/** Encodes rows as messages of Arrow's IPC stream format. */
import type { DataType } from '@uwdata/flechette';
import { batchType, Column, tableFromColumns, tableToIPC } from '@uwdata/flechette';
import type { ColumnType, Frame, Shape, Strings } from './shape.ts';
import { ARROW_TYPES } from './shape.ts';

/** The end of a stream: a continuation marker without metadata. */
export const END_OF_STREAM = new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0]);
/** No value is null. */
const ALL_VALID = new Uint8Array(0);

/** The first message of a stream, which describes its columns. */
export function schemaMessage(shape: Shape): Uint8Array {
  const columns = Object.entries(shape).map(([name, type]): [string, Column<unknown>] => [
    name,
    new Column([], ARROW_TYPES[type]),
  ]);
  return withoutEnd(tableToIPC(tableFromColumns(columns), { format: 'stream' })!);
}

/** Encodes rows; the schema precedes the first ones. */
export class FrameEncoder<S extends Shape> {
  readonly #shape: S;
  readonly schema: Uint8Array;

  constructor(shape: S) {
    this.#shape = shape;
    this.schema = schemaMessage(shape);
  }

  /** The record batch message for some rows. */
  encode({ rows, columns }: Frame<S>): Uint8Array {
    const all = Object.entries(this.#shape).map(([name, type]): [string, Column<unknown>] => [
      name,
      columnOf(type, rows, columns[name]!),
    ]);
    const stream = tableToIPC(tableFromColumns(all), { format: 'stream' })!;
    return withoutEnd(stream).subarray(this.schema.length);
  }
}

function columnOf(kind: ColumnType, rows: number, values: Frame<Shape>['columns'][string]): Column<unknown> {
  const type: DataType = ARROW_TYPES[kind];
  const Batch = batchType(type, { useBigInt: true });
  const base = { length: rows, nullCount: 0, type, validity: ALL_VALID };
  if (kind === 'binary' || kind === 'utf8') {
    const { offsets, bytes } = values as Strings;
    return new Column([new Batch({ ...base, offsets, values: bytes })], type);
  }
  const numbers = values as Int8Array | Int32Array | Uint32Array;
  const whole = kind === 'int64' ? asBigInts(numbers as Uint32Array) : (numbers as Int8Array | Int32Array);
  return new Column([new Batch({ ...base, values: whole })], type);
}

function asBigInts(halves: Uint32Array): BigInt64Array {
  const { buffer, byteOffset, length } = byAligned(halves);
  return new BigInt64Array(buffer, byteOffset, length / 2);
}

function byAligned(halves: Uint32Array): Uint32Array {
  return halves.byteOffset % BigInt64Array.BYTES_PER_ELEMENT === 0 ? halves : halves.slice();
}

function withoutEnd(stream: Uint8Array): Uint8Array {
  return stream.subarray(0, stream.length - END_OF_STREAM.length);
}
