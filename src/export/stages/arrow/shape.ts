/** Shapes of Arrow streams: which columns they have. */
import type { DataType } from '@uwdata/flechette';
import { binary, int32, int64, int8, utf8 } from '@uwdata/flechette';

/** Types of columns: those that every engine knows, Spark among them, which has no unsigned numbers. */
export type ColumnType = 'int8' | 'int32' | 'int64' | 'binary' | 'utf8';

/** Columns by name, in their order. None of them holds a null. */
export type Shape = Readonly<Record<string, ColumnType>>;

/** Texts or byte strings, one behind the other. */
export interface Strings {
  /** Where each begins in `bytes`, and at last where the last one ends. */
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** The values of a column. Numbers of 64 bits are in two halves, the lower one first. */
export interface ValuesOf {
  readonly int8: Int8Array;
  readonly int32: Int32Array;
  readonly int64: Uint32Array;
  readonly binary: Strings;
  readonly utf8: Strings;
}

/** Rows of a stream, column by column. */
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

/** One of many texts. */
export function textAt({ offsets, bytes }: Strings, index: number): string {
  const [from, to] = [offsets[index]!, offsets[index + 1]!];
  return from === to ? '' : Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

/** A number of 64 bits that is small enough to be exact. */
export function numberAt(halves: Uint32Array, index: number): number {
  return (halves[2 * index + 1]! | 0) * 2 ** 32 + halves[2 * index]!;
}
