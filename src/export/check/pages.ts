/**
 * Validates the counts in the pages of a Parquet file. hyparquet allocates memory for as many values as a damaged page
 * claims: gigabytes for a file of a few bytes, in a loop that cannot be interrupted.
 */
import type { AsyncBuffer, ColumnMetaData, Compressors, FileMetaData, RowGroup } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';

type PageHeader = ReturnType<typeof parquetHeader>;

/** The properties of a column that are needed to read its pages. */
interface Column {
  readonly meta: ColumnMetaData;
  /** Bits per level; 0 if there are no levels. */
  readonly repetitionBits: number;
  readonly definitionBits: number;
  readonly compressors: Compressors;
}

export interface PageCheck {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
}

/** @throws Error when a page of the group counts more values than are possible */
export async function checkPages(group: RowGroup, { file, metadata, compressors }: PageCheck): Promise<void> {
  for (const { meta_data: meta } of group.columns) {
    if (!meta) continue;
    if (group.num_rows > meta.num_values) throw new Error('a group has more rows than values');
    const path = getSchemaPath(metadata.schema, meta.path_in_schema);
    const repetitionBits = bitsOf(getMaxRepetitionLevel(path));
    const definitionBits = bitsOf(getMaxDefinitionLevel(path));
    const column = { meta, repetitionBits, definitionBits, compressors };
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const buffer = await file.slice(start, start + Number(meta.total_compressed_size));
    const reader = { view: new DataView(buffer), offset: 0 };
    while (reader.offset < buffer.byteLength - 1) {
      const header = parquetHeader(reader);
      checkPage(header, new Uint8Array(buffer, reader.offset, header.compressed_page_size), column);
      reader.offset += header.compressed_page_size;
    }
  }
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level);
}

function checkPage(header: PageHeader, bytes: Uint8Array, column: Column): void {
  const { data_page_header: first, data_page_header_v2: second } = header;
  const values = first?.num_values ?? second?.num_values ?? 0;
  if (values < 0 || values > Number(column.meta.num_values))
    throw new Error('a page has more values than its column');
  if (second) checkSecond(header, bytes, column);
  else if (first) checkFirst(header, bytes, column);
}

/** @see https://github.com/apache/parquet-format#data-pages */
function checkFirst(header: PageHeader, bytes: Uint8Array, { meta, compressors, ...bits }: Column): void {
  const { num_values: values, encoding } = header.data_page_header!;
  let page = decompressPage(bytes, header.uncompressed_page_size, meta.codec, compressors);
  for (const width of [bits.repetitionBits, bits.definitionBits]) {
    if (width === 0) continue;
    const length = lengthAt(page);
    checkLevels(page.subarray(4, 4 + length), width, values);
    page = page.subarray(4 + length);
  }
  checkNumbers(page, encoding, values);
}

/** Levels are stored outside the compressed data. */
function checkSecond(header: PageHeader, bytes: Uint8Array, { meta, compressors, ...bits }: Column): void {
  const {
    num_values: values,
    num_nulls: nulls,
    encoding,
    is_compressed: compressed,
    repetition_levels_byte_length: repetitions,
    definition_levels_byte_length: definitions,
  } = header.data_page_header_v2!;
  const levels = repetitions + definitions;
  if (bits.repetitionBits > 0) checkLevels(bytes.subarray(0, repetitions), bits.repetitionBits, values);
  if (bits.definitionBits > 0) checkLevels(bytes.subarray(repetitions, levels), bits.definitionBits, values);
  if (nulls < 0 || nulls > values) throw new Error('a page has more nulls than values');
  const rest = bytes.subarray(levels);
  const page =
    compressed === false
      ? rest
      : decompressPage(rest, header.uncompressed_page_size - levels, meta.codec, compressors);
  checkNumbers(page, encoding, values - nulls);
}

/** The number of values in run-length encoding: dictionary indexes, and booleans. */
function checkNumbers(page: Uint8Array, encoding: string, values: number): void {
  if (encoding === 'RLE') countRuns(page.subarray(4), 1, values);
  else if (encoding.endsWith('_DICTIONARY')) countRuns(page.subarray(1), page[0] ?? 0, values);
}

function checkLevels(bytes: Uint8Array, width: number, values: number): void {
  if (countRuns(bytes, width, values) < values) throw new Error('a page has fewer levels than values');
}

/** Writers may pad the last run: values are packed in groups of eight, at most 63 groups. */
const MOST_SPARE = 504;

/**
 * @returns the number of values in the runs, up to the requested number
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */
function countRuns(bytes: Uint8Array, width: number, values: number): number {
  let seen = 0;
  for (let at = 0; seen < values && at < bytes.length;) {
    let header = 0;
    for (let place = 1, more = true; more; place *= 128) {
      const byte = bytes[at++] ?? 0;
      header += (byte % 128) * place;
      more = byte >= 128;
    }
    const packed = header % 2 === 1;
    const half = Math.floor(header / 2);
    seen += packed ? half * 8 : half;
    at += packed ? half * width : Math.ceil(width / 8);
    if (seen > values + MOST_SPARE) throw new Error('a page has a run of more values than the page');
  }
  return seen;
}

function lengthAt(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}
