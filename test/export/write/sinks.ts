import { createHash } from 'node:crypto';
import type { Column } from '../../../src/export/render/format.ts';
import type { OutputFile, Sink, SinkOptions } from '../../../src/export/write/sink.ts';
import { openSink } from '../../../src/export/write/open.ts';

export const COLUMNS: readonly Column[] = [
  { name: 'messages', type: 'jsons' },
  { name: 'tools', type: 'jsons', optional: true },
];

/** A sink of one file, hashed unless `options` say otherwise. */
export function sinkAt(path: string, options: Partial<SinkOptions> = {}): Sink {
  return openSink({
    path,
    shape: path.endsWith('/') ? 'directory' : 'file',
    force: false,
    splits: ['train'],
    parquet: false,
    hash: true,
    columns: COLUMNS,
    ...options,
  });
}

/** Lines of rows that contain their number. */
export function rowsFrom(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `{"messages":[{"row":${first + index}}]}\n`).join('');
}

/** Writes complete lines to a split. */
export async function put(sink: Sink, lines: string, split = 'train'): Promise<void> {
  await sink.write(split, Buffer.from(lines), lines.split('\n').length - 1);
}

/** Ends the sink with a manifest, as every export of a directory has one. */
export function finishWithManifest(sink: Sink, more: readonly { name: string; text: string }[] = []) {
  return sink.finish((outputs) => [
    { name: 'manifest.json', text: JSON.stringify({ llmproxy: '0.1.0', outputs }) },
    ...more,
  ]);
}

/** Writes these rows by split to a path, with a manifest beside them. */
export async function exportTo(
  path: string,
  splits: Readonly<Record<string, string>>,
  options: Partial<SinkOptions> = {},
): Promise<readonly OutputFile[]> {
  const sink = sinkAt(path, { splits: Object.keys(splits), ...options });
  for (const [split, lines] of Object.entries(splits)) await put(sink, lines, split);
  return finishWithManifest(sink);
}

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
