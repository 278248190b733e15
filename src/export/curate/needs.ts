/** What an export must keep in mind to decide as it was asked to. */
import type { HashName } from './table/row-table.ts';
import type { Choosing } from './options.ts';

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
  { sample, perGroup, last, maxRecords, sides }: Choosing,
  { raw, consumed, sideBySide }: Log,
): boolean {
  const inOrder = !sideBySide || maxRecords === undefined;
  const all = !sample && perGroup === undefined && last === undefined && sides.length === 1;
  return raw && !consumed && inOrder && all;
}

/** The hashes that will be asked for. */
export function hashesFor(
  { conversations, makes, dedup, sides, sideOf, corrections }: Choosing,
  { sideBySide }: Pick<Log, 'sideBySide'>,
): HashName[] {
  const names = new Set<HashName>(['terminal', 'content', 'id']);
  if (sideBySide) names.add('written');
  if (conversations === 'last') names.add('root').add('session');
  if (sides.length > 1) names.add(sideOf === 'prompt' ? 'prompt' : 'root').add('session');
  if (conversations === 'last') names.add('owner').add('opening');
  if (makes === 'pair' || makes === 'label') names.add('prompt').add('owner');
  if (dedup === 'prompt' || corrections) names.add('prompt');
  return [...names];
}
