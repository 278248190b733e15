/** The rows of a batch, and accompanying facts, as frames of the stream that extract writes. */
import type { Batch } from '../convert/batch.ts';
import { HASH, HASHES_PER_ROW } from '../convert/batch.ts';
import { SIGNATURE_BYTES } from '../curate/near/signature.ts';
import type { Frame, Strings } from './arrow/shape.ts';
import { noStrings, StringColumn } from './arrow/build.ts';
import type { KIND } from './columns.ts';
import { ROW_COLUMNS } from './columns.ts';

export type RowFrame = Frame<typeof ROW_COLUMNS>;
type RowColumns = RowFrame['columns'];

/** The positions of rows. */
export interface BatchPlaces {
  readonly range: number;
  /** The index of the batch's first row within the range. */
  readonly firstRow: number;
  /** The index of its input. */
  readonly file: number;
  /** The index of its first line within the part. */
  readonly firstLine: number;
  /** The offset of each of its lines. */
  readonly starts: readonly number[];
  /** The time of each row that determines its place in the log, milliseconds since the epoch. */
  readonly written: readonly number[];
}

/** The rows of a batch, without their texts. */
export function rowFrame(batch: Batch, places: BatchPlaces): RowFrame {
  const rows = batch.ends.length;
  const columns = emptyColumns(rows);
  columns.range.fill(places.range);
  columns.file.fill(places.file);
  for (let row = 0; row < rows; row++) {
    const line = batch.places[row]!;
    const again = row > 0 && batch.places[row - 1] === line;
    columns.row[row] = places.firstRow + row;
    columns.line[row] = places.firstLine + line;
    columns.nth[row] = again ? columns.nth[row - 1]! + 1 : 0;
    columns.flags[row] = batch.flags[row]!;
    setNumber(columns.offset, row, places.starts[line]!);
    setNumber(columns.written, row, places.written[row]!);
    setHash(columns.root, row, batch.roots, 4 * row);
    const hashes = row * HASHES_PER_ROW;
    setHash(columns.conversation, row, batch.hashes, hashes + HASH.conversation);
    setHash(columns.prompt, row, batch.hashes, hashes + HASH.prompt);
    setHash(columns.content, row, batch.hashes, hashes + HASH.content);
    setHash(columns.opening, row, batch.hashes, hashes + HASH.firstPrompt);
    setHash(columns.session, row, batch.hashes, hashes + HASH.session);
    setHash(columns.owner, row, batch.hashes, hashes + HASH.owner);
    setHash(columns.id, row, batch.hashes, hashes + HASH.id);
  }
  // The same bits: unknown values become -1.
  columns.input_tokens.set(batch.inputTokens);
  columns.output_tokens.set(batch.outputTokens);
  return {
    rows,
    columns: {
      ...columns,
      turns: turnsOf(batch),
      group: groupsOf(batch),
      signature: signaturesOf(batch, rows),
    },
  };
}

/** A fact that accompanies the rows of a range. */
export interface Companion {
  readonly kind: (typeof KIND)['feedback' | 'stray' | 'note' | 'counts'];
  readonly root?: { readonly hi: number; readonly lo: number };
  readonly file?: number;
  readonly line?: number;
  readonly writtenMs?: number;
  readonly payload?: unknown;
}

/** The facts that accompany the rows of a range, numbered in their own order. */
export function companionFrame(range: number, companions: readonly Companion[]): RowFrame {
  const columns = emptyColumns(companions.length);
  const payload = new StringColumn();
  columns.range.fill(range);
  for (const [at, companion] of companions.entries()) {
    columns.kind[at] = companion.kind;
    columns.row[at] = at;
    columns.file[at] = companion.file ?? 0;
    columns.line[at] = companion.line ?? 0;
    setNumber(columns.written, at, companion.writtenMs ?? 0);
    if (companion.root) columns.root.set([companion.root.lo, companion.root.hi], 2 * at);
    payload.push(companion.payload === undefined ? '' : JSON.stringify(companion.payload));
  }
  return { rows: companions.length, columns: { ...columns, payload: payload.values } };
}

function emptyColumns(rows: number): RowColumns {
  const make = { int8: Int8Array, int32: Int32Array };
  return Object.fromEntries(
    Object.entries(ROW_COLUMNS).map(([name, type]) => [
      name,
      type === 'utf8' || type === 'binary'
        ? noStrings(rows)
        : type === 'int64'
          ? new Uint32Array(2 * rows)
          : new make[type](rows),
    ]),
  ) as unknown as RowColumns;
}

function setHash(column: Uint32Array, row: number, hashes: Uint32Array, from: number): void {
  column[2 * row] = hashes[from + 1]!;
  column[2 * row + 1] = hashes[from]!;
}

/** @param value an integer from 0 to 2^53 */
function setNumber(column: Uint32Array, row: number, value: number): void {
  column[2 * row] = value >>> 0;
  column[2 * row + 1] = Math.floor(value / 2 ** 32);
}

function turnsOf({ turns, turnEnds }: Batch): Strings {
  const offsets = new Int32Array(turnEnds.length + 1);
  for (let row = 0; row < turnEnds.length; row++) offsets[row + 1] = 4 * turnEnds[row]!;
  return { offsets, bytes: new Uint8Array(turns.buffer, turns.byteOffset, turns.byteLength) };
}

function groupsOf({ groups, groupOf }: Batch): Strings {
  const texts = groups.map(({ model, provider, finish, key, balanceBy }) =>
    JSON.stringify([model, provider, finish, key, balanceBy]),
  );
  const column = new StringColumn();
  for (const group of groupOf) column.push(texts[group]!);
  return column.values;
}

function signaturesOf({ signatures }: Batch, rows: number): Strings {
  if (signatures.length === 0) return noStrings(rows);
  const size = signatures.length / rows;
  if (size % SIGNATURE_BYTES !== 0) throw new RangeError(`Cannot take signatures of ${size} bytes`);
  return { offsets: new Int32Array(rows + 1).map((_, row) => row * size), bytes: signatures };
}
