import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet-writer';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { JsonObject } from '../../wire/json.ts';
import type { Column } from '../render/format.ts';
import { parseRow } from '../conversation/json.ts';
import { numberText } from '../../wire/long-numbers.ts';
import { ExportError } from '../errors.ts';
import { featuresOf } from './features.ts';
import type { ByteSink } from './byte-sink.ts';
import type { Packing } from './sink.ts';

/** A row group is held in memory: it ends at whichever limit is reached first. */
const GROUP_ROWS = 10_000;
const GROUP_BYTES = 16 * 1024 ** 2;
const NEWLINE = 10;
const CODECS = { gz: 'GZIP', zst: 'ZSTD' } as const;
const COMPRESSORS = {
  GZIP: (page: Uint8Array) => gzipSync(page),
  ZSTD: (page: Uint8Array) => zstdCompressSync(page),
};

/**
 * Parquet with objects of any shape as JSON, which HF `datasets` returns as objects. Nested columns would
 * fill missing fields with nulls, and a null instead of tool calls crashes chat templates.
 */
export class ParquetPacking implements Packing {
  readonly #bytes: ByteSink;
  readonly #columns: readonly Column[];
  readonly #names: ReadonlySet<string>;
  readonly #buffer = new ByteWriter();
  readonly #writer: ParquetWriter;
  #rows: JsonObject[] = [];
  #rowBytes = 0;

  /** @param compress how pages are compressed; if omitted, by the codec that every reader supports */
  constructor(bytes: ByteSink, columns: readonly Column[], compress: 'gz' | 'zst' | undefined) {
    this.#bytes = bytes;
    this.#columns = columns;
    this.#names = new Set(columns.map(({ name }) => name));
    const info = JSON.stringify({ info: { features: featuresOf(columns) } });
    this.#writer = new ParquetWriter({
      writer: this.#buffer,
      schema: schemaOf(columns),
      codec: compress === undefined ? 'SNAPPY' : CODECS[compress],
      compressors: COMPRESSORS,
      // The statistics would contain the whole smallest and largest message of each row group, in memory and
      // in the file.
      statistics: false,
      kvMetadata: [{ key: 'huggingface', value: info }],
      createdBy: 'llmproxy',
    });
  }

  async write(lines: Uint8Array): Promise<void> {
    const text = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    for (let from = 0; from < text.length;) {
      const end = text.indexOf(NEWLINE, from);
      this.#rows.push(this.#row(text.toString('utf8', from, end)));
      this.#rowBytes += end - from;
      from = end + 1;
      if (this.#rows.length >= GROUP_ROWS || this.#rowBytes >= GROUP_BYTES) await this.#group();
    }
  }

  async end(): Promise<void> {
    await this.#group();
    await this.#writer.finish();
    await this.#pass();
  }

  #row(text: string): JsonObject {
    const row = parseRow(text);
    // It would be dropped silently.
    const odd = Object.keys(row).find((key) => !this.#names.has(key));
    if (odd !== undefined)
      throw new ExportError(
        'failed',
        `Cannot write Parquet: a row has "${odd}", which is not a column of the format`,
      );
    return row;
  }

  async #group(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    this.#rowBytes = 0;
    const columnData = this.#columns.map(({ name }) => ({
      name,
      data: rows.map((row) => plainNumber(row[name]) ?? null),
    }));
    await this.#writer.write({ columnData, rowGroupSize: rows.length });
    await this.#pass();
  }

  async #pass(): Promise<void> {
    await this.#bytes.write(this.#buffer.getBytes());
    this.#buffer.index = 0;
  }
}

/** Converts a number of a row: columns of numbers contain doubles, not the digits of the JSON text. */
function plainNumber(value: unknown): unknown {
  const digits = numberText(value);
  return digits === undefined ? value : Number(digits);
}

const JSON_TYPE = { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } } as const;

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elements)];
}

function elements({ name, type, optional }: Column): SchemaElement[] {
  const repetition_type = optional ? 'OPTIONAL' : 'REQUIRED';
  if (type === 'jsons')
    return [
      { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', ...JSON_TYPE },
    ];
  if (type === 'json') return [{ name, repetition_type, ...JSON_TYPE }];
  if (type === 'bool') return [{ name, repetition_type, type: 'BOOLEAN' }];
  if (type === 'number') return [{ name, repetition_type, type: 'DOUBLE' }];
  return [
    { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  ];
}
