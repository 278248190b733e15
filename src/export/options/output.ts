import { existsSync, statSync } from 'node:fs';
import type { CurationOptions } from '../curate/options.ts';
import type { Format } from '../render/format.ts';
import type { SinkOptions } from '../write/sink.ts';
import type { Options } from './options.ts';
import { ExportError } from '../errors.ts';

export type Shape = SinkOptions['shape'];

/** The output path, and whether it is a file or a directory. @param output the default when stdout is a terminal */
export function placeOf(
  options: Options,
  { terminal, output = DEFAULT_OUTPUT }: { readonly terminal: boolean; readonly output?: string },
): { readonly path: string; readonly shape: Shape } {
  const path = options.value('output') ?? (terminal ? output : '-');
  if (path === '-') return { path, shape: 'stdout' };
  const directory = path.endsWith('/') || (existsSync(path) && statSync(path).isDirectory());
  return { path, shape: directory ? 'directory' : 'file' };
}

const DEFAULT_OUTPUT = 'exports/dataset.jsonl';

interface Decided {
  readonly path: string;
  readonly shape: Shape;
  readonly format: Format | undefined;
  readonly curation: CurationOptions;
}

export function sinkOf(options: Options, { path, shape, format, curation }: Decided): SinkOptions {
  const shardBytes = options.value('shard-size');
  const compress = options.value('compress');
  const parquet = options.value('parquet') || (shape === 'file' && path.endsWith('.parquet'));
  const several = curation.splits.length > 1 ? 'split' : shardBytes === undefined ? undefined : 'shard-size';
  if (several !== undefined && shape !== 'directory')
    throw options.wrong(several, 'it makes several files: give --output a directory, with a / at its end');
  if (parquet && !format) throw new ExportError('usage', 'Cannot write Parquet: rows of raw are no table');
  return {
    path,
    shape,
    force: options.value('force'),
    splits: curation.splits.map(({ name }) => name),
    ...(shardBytes === undefined ? {} : { shardBytes }),
    ...(compress === undefined ? {} : { compress }),
    parquet,
    hash: shape === 'directory' || options.given('manifest'),
    columns: columnsOf(options, format),
  };
}

/** A column that no row has would be loaded with the type null. */
function columnsOf(options: Options, format: Format | undefined): SinkOptions['columns'] {
  const without = options.value('metadata') === 'none';
  const scored = options.value('metadata') === 'full';
  return format?.columns.filter(
    ({ name }) => (name !== 'metadata' || !without) && (name !== 'reward' || scored),
  );
}
