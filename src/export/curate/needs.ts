/** What an export must keep in mind to decide as it was asked to. */
import type { HashName } from './table/row-table.ts';
import type { CurationOptions } from './options.ts';

interface Log {
  readonly raw: boolean;
  /** An earlier export has had some of it. */
  readonly consumed: boolean;
  /** Several workers wrote it, each its own files. */
  readonly sideBySide: boolean;
}

/**
 * Whether rows can be written as they come: none waits for what stands in another. Only whole records can; the answers of
 * all others may still be judged or corrected further on in the log.
 */
export function streams(
  { sample, perGroup, last, maxRecords, splits }: CurationOptions,
  { raw, consumed, sideBySide }: Log,
): boolean {
  const inOrder = !sideBySide || maxRecords === undefined;
  const all = !sample && perGroup === undefined && last === undefined && splits.length === 1;
  return raw && !consumed && inOrder && all;
}

/** The hashes that will be asked for. */
export function hashesFor(
  { conversations, sampleKind, dedup, splits, splitBy, corrections }: CurationOptions,
  { sideBySide }: Pick<Log, 'sideBySide'>,
): HashName[] {
  const names = new Set<HashName>(['conversation', 'content', 'id']);
  if (sideBySide) names.add('written');
  if (conversations === 'last') names.add('firstPrompt').add('session');
  if (splits.length > 1) names.add(splitBy === 'prompt' ? 'prompt' : 'firstPrompt').add('session');
  if (conversations === 'last') names.add('owner').add('opening');
  if (sampleKind === 'preference' || sampleKind === 'label') names.add('prompt').add('owner');
  if (dedup === 'prompt' || corrections) names.add('prompt');
  return [...names];
}
