import { existsSync, statSync } from 'node:fs';
import { byteCount } from '../../config/amounts.ts';
import type { CurationOptions } from '../curate/options.ts';
import type { Format } from '../render/format.ts';
import type { SinkOptions } from '../write/sink.ts';
import type { Picker } from './picker.ts';
import { ExportError } from '../errors.ts';

export type Shape = SinkOptions['shape'];

/** Where rows go, and whether that is a file or a directory. */
export function placeOf(
  picker: Picker,
  { terminal, output = DEFAULT_OUTPUT }: { readonly terminal: boolean; readonly output?: string },
): { readonly path: string; readonly shape: Shape } {
  const path = picker.text('output') ?? (terminal ? output : '-');
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

export function sinkOf(picker: Picker, { path, shape, format, curation }: Decided): SinkOptions {
  const shardBytes = picker.read('shard-size', sizeIn, 'a size such as 500MB');
  const compress = picker.oneOf('compress', ['gz', 'zst']);
  const parquet = picker.on('parquet') || (shape === 'file' && path.endsWith('.parquet'));
  const several = curation.splits.length > 1 ? 'split' : shardBytes === undefined ? undefined : 'shard-size';
  if (several !== undefined && shape !== 'directory')
    throw picker.wrong(several, 'it makes several files: give --output a directory, with a / at its end');
  if (parquet && !format) throw new ExportError('usage', 'Cannot write Parquet: rows of raw are no table');
  return {
    path,
    shape,
    force: picker.on('force'),
    splits: curation.splits.map(({ name }) => name),
    ...(shardBytes === undefined ? {} : { shardBytes }),
    ...(compress === undefined ? {} : { compress }),
    parquet,
    hash: shape === 'directory' || picker.given('manifest'),
    columns: columnsOf(picker, format),
  };
}

/** A column that no row has would be loaded as one of nothing. */
function columnsOf(picker: Picker, format: Format | undefined): SinkOptions['columns'] {
  const without = (picker.text('metadata') ?? 'none') === 'none';
  return format?.columns?.filter(({ name }) => name !== 'metadata' || !without);
}

function sizeIn(text: string): number | undefined {
  const bytes = /^\d+$/.test(text) ? Number(text) : byteCount(text);
  return bytes !== undefined && bytes > 0 ? bytes : undefined;
}
