/** The columns of Arrow streams. */
import type { DataType } from '@uwdata/flechette';
import { binary, int32, int64, int8, utf8 } from '@uwdata/flechette';

/** Column types: only those that every engine supports, including Spark, which has no unsigned integers. */
export type ColumnType = 'int8' | 'int32' | 'int64' | 'binary' | 'utf8';

/** Columns by name, in order. None contains nulls. */
export type Shape = Readonly<Record<string, ColumnType>>;

/** Concatenated texts or byte strings. */
export interface Strings {
  /** The start of each in `bytes`, followed by the end of the last one. */
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** The values of a column. 64-bit integers are in two halves, the lower one first. */
export interface ValuesOf {
  readonly int8: Int8Array;
  readonly int32: Int32Array;
  readonly int64: Uint32Array;
  readonly binary: Strings;
  readonly utf8: Strings;
}

/** Rows of a stream, by column. */
export interface Frame<S extends Shape> {
  readonly rows: number;
  readonly columns: { readonly [Name in keyof S]: ValuesOf[S[Name]] };
}

export const ARROW_TYPES: Readonly<Record<ColumnType, DataType>> = {
  int8: int8(),
  int32: int32(),
  int64: int64(),
  binary: binary(),
  utf8: utf8(),
};

/** One text of a column. */
export function textAt({ offsets, bytes }: Strings, index: number): string {
  const [from, to] = [offsets[index]!, offsets[index + 1]!];
  return from === to ? '' : Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

/** A 64-bit integer that a JavaScript number can represent exactly. */
export function numberAt(halves: Uint32Array, index: number): number {
  return (halves[2 * index + 1]! | 0) * 2 ** 32 + halves[2 * index]!;
}
