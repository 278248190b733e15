/** What an export must keep in mind to decide as it was asked to. */
import type { HashName } from './table/row-table.ts';
import type { CurationOptions } from './options.ts';

interface Log {
  readonly raw: boolean;
  /** Several workers wrote it, each its own files. */
  readonly sideBySide: boolean;
}

/**
 * Whether rows can be written as they come: none waits for what stands in another. Only whole records can; the answers of
 * all others may still be judged or corrected further on in the log.
 */
export function streams(
  { sample, perGroup, last, maxRecords, splits }: CurationOptions,
  { raw, sideBySide }: Log,
): boolean {
  const inOrder = !sideBySide || maxRecords === undefined;
  const all = !sample && perGroup === undefined && last === undefined && splits.length === 1;
  return raw && inOrder && all;
}

/** The hashes that will be asked for. */
export function hashesFor(
  { sampleKind, dedup, splits, splitBy, corrections }: CurationOptions,
  { sideBySide }: Pick<Log, 'sideBySide'>,
): HashName[] {
  const names = new Set<HashName>(['conversation', 'content', 'id']);
  if (sideBySide) names.add('written');
  if (splits.length > 1) names.add(splitBy === 'prompt' ? 'prompt' : 'firstPrompt').add('session');
  if (sampleKind === 'preference' || sampleKind === 'label') names.add('prompt').add('owner');
  if (dedup === 'prompt' || corrections) names.add('prompt');
  return [...names];
}
