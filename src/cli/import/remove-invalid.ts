/** Removes invalid values from a configuration, so that the rest of an import can be used. */
import type { Document } from 'yaml';
import { isMap, isScalar, isSeq } from 'yaml';
import type { Problem } from '../../config/problems.ts';
import { loadConfig } from '../../config/load.ts';

/** Errors in what depended on a removed value appear in the next round. */
const MOST_ROUNDS = 20;

type Path = readonly (string | number)[];

/**
 * Removes every invalid value.
 * @returns the removed values and the reasons
 */
export function removeInvalid(document: Document): string[] {
  const removed: string[] = [];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const text = document.toString({ lineWidth: 0 });
    const { problems } = loadConfig({ path: '', text, env: {} });
    const errors = problems.filter(({ severity }) => severity === 'error');
    const gone = errors.toReversed().flatMap((error) => takenOut(document, error));
    if (gone.length === 0) return removed;
    removed.push(...gone.toReversed());
  }
  return removed;
}

function takenOut(document: Document, { path: written, message }: Problem): string[] {
  const path = pathIn(document.contents, written);
  if (!path || path.length === 0 || !document.hasIn(path)) return [];
  document.deleteIn(path);
  // An empty list or map is often an error itself.
  const parent = path.slice(0, -1);
  const left = parent.length > 1 ? document.getIn(parent, true) : undefined;
  if ((isSeq(left) || isMap(left)) && left.items.length === 0) document.deleteIn(parent);
  const reason = message.startsWith(`${written}: `) ? message.slice(written.length + 2) : message;
  return [`${written}: not valid here (${reason})`];
}

/** Parses the path of a problem, such as "models.gpt-3.5.targets[0]": keys may contain dots. */
function pathIn(node: unknown, text: string): Path | undefined {
  if (text === '') return [];
  if (isSeq(node)) {
    const [whole = '', index = ''] = /^\[(\d+)\]\.?/.exec(text) ?? [];
    const rest = whole === '' ? undefined : pathIn(node.items[Number(index)], text.slice(whole.length));
    return rest && [Number(index), ...rest];
  }
  if (!isMap(node)) return undefined;
  const keys = node.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  // Longest first, since one may be a prefix of another.
  for (const key of keys.toSorted((a, b) => b.length - a.length)) {
    if (!text.startsWith(key) || !/^(?:$|\.|\[)/.test(text.slice(key.length))) continue;
    const rest = pathIn(node.get(key, true), text.slice(key.length).replace(/^\./, ''));
    if (rest) return [key, ...rest];
  }
  return undefined;
}
