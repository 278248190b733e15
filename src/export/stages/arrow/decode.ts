/** Decodes an Arrow IPC stream, some rows at a time. */
import type { Batch } from '@uwdata/flechette';
import { tableFromIPC } from '@uwdata/flechette';
import type { ColumnType, Frame, Shape, Strings, ValuesOf } from './shape.ts';
import { ARROW_TYPES } from './shape.ts';
import { damaged, messagesIn } from './messages.ts';

/**
 * The rows of a stream. Columns are identified by name, in any order; unknown ones are ignored.
 * @throws ExportError when the stream is damaged, or a column is missing, of another type, or contains nulls
 */
export async function* framesIn<S extends Shape>(
  shape: S,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Frame<S>> {
  let schema: Uint8Array | undefined;
  for await (const message of messagesIn(pieces)) {
    if (!schema) schema = message;
    else yield frameOf(shape, schema, message);
  }
}

function frameOf<S extends Shape>(shape: S, schema: Uint8Array, message: Uint8Array): Frame<S> {
  const table = tableIn(schema, message);
  const columns = Object.entries(shape).map(([name, type]) => {
    const column = table.getChild(name);
    if (!column) throw damaged(`it has no column ${name}`);
    const { typeId, bitWidth } = column.type as { readonly typeId: number; readonly bitWidth?: number };
    const wanted = ARROW_TYPES[type] as { readonly typeId: number; readonly bitWidth?: number };
    if (typeId !== wanted.typeId || bitWidth !== wanted.bitWidth)
      throw damaged(`its column ${name} is not of type ${type}`);
    const batch = column.data[0];
    if (batch && batch.nullCount > 0) throw damaged(`its column ${name} has nulls`);
    return [name, valuesOf(type, batch)] as const;
  });
  return { rows: table.numRows, columns: Object.fromEntries(columns) as Frame<S>['columns'] };
}

function tableIn(schema: Uint8Array, message: Uint8Array) {
  try {
    return tableFromIPC([schema, message], { useBigInt: true });
  } catch (cause) {
    throw damaged((cause as Error).message);
  }
}

function valuesOf(type: ColumnType, batch: Batch<unknown> | undefined): ValuesOf[ColumnType] {
  if (type === 'binary' || type === 'utf8')
    return batch && batch.length > 0
      ? ({ offsets: batch.offsets as Int32Array, bytes: batch.values as Uint8Array } satisfies Strings)
      : { offsets: new Int32Array(1), bytes: new Uint8Array(0) };
  if (!batch) return new Int32Array(0);
  if (type !== 'int64') return batch.values as Int8Array | Int32Array;
  const { buffer, byteOffset, length } = batch.values as unknown as BigInt64Array;
  return new Uint32Array(buffer, byteOffset, 2 * length);
}
