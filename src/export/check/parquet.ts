import type { AsyncBuffer } from 'hyparquet';
import { parquetMetadataAsync, parquetReadObjects, toJson } from 'hyparquet';
import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { InputError } from '../../logs/problem.ts';
import type { JsonObject } from '../../wire/json.ts';
import { checkPages } from './pages.ts';

const MAGIC = 'PAR1';
const COMPRESSORS = {
  GZIP: (page: Uint8Array) => gunzipSync(page),
  ZSTD: (page: Uint8Array) => zstdDecompressSync(page),
};

/** Whether a file begins like a Parquet file. @throws InputError when it cannot be opened */
export function isParquet(path: string): boolean {
  const fd = openToRead(path);
  try {
    const start = Buffer.alloc(MAGIC.length);
    return readSync(fd, start, 0, start.length, 0) === MAGIC.length && start.toString('latin1') === MAGIC;
  } finally {
    closeSync(fd);
  }
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new InputError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The rows of a Parquet file, one row group after another. Columns without values are left out, as `datasets` presents
 * them to a trainer that reads row by row.
 * @throws Error when the file is damaged, usually from the library
 */
export async function* parquetRows(path: string): AsyncGenerator<JsonObject> {
  const whole = Bun.file(path);
  const file: AsyncBuffer = {
    byteLength: whole.size,
    slice: (start, end = whole.size) => whole.slice(start, end).arrayBuffer(),
  };
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    await checkPages(group, { file, metadata, compressors: COMPRESSORS });
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors: COMPRESSORS });
    for (const row of rows) yield filled(toJson(row) as JsonObject);
    rowStart = rowEnd;
  }
}

function filled(row: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined));
}
