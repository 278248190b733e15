/** Rejects what YAML allows but a configuration must not contain. */
import type { Document, LineCounter, Scalar } from 'yaml';
import { isMap, isScalar } from 'yaml';
import { eachNode } from './each-node.ts';
import type { Fault } from './yaml-faults.ts';
import { RETURNS } from './yaml-faults.ts';

const UTF_16 = 'the file is saved as UTF-16: save it as UTF-8';

/** Keys that are not strings: they would be converted. */
export function oddKeys(document: Document): Fault[] {
  const found: Fault[] = [];
  eachNode(document, (node, isKey) => {
    if (!isKey || isScalar(node)) return undefined;
    const [offset, end] = node.range ?? [0, 1];
    found.push({ offset, size: end - offset, message: 'a key is a word here, neither a list nor a map' });
    return undefined;
  });
  return found;
}

/** Keys that occur twice in one map. The parser finds them as well, but compares each key with all others for that. */
export function repeatedKeys(document: Document, counter: LineCounter): Fault[] {
  const found: Fault[] = [];
  eachNode(document, (node) => {
    if (!isMap(node)) return undefined;
    const first = new Map<unknown, Scalar>();
    for (const { key } of node.items) {
      // A merge has a symbol of its own.
      if (!isScalar(key)) continue;
      const known = first.get(key.value);
      if (known) found.push(repeated(key, counter.linePos(known.range?.[0] ?? 0).line));
      else first.set(key.value, key);
    }
    return undefined;
  });
  return found;
}

function repeated({ range, value }: Scalar, line: number): Fault {
  const name = String(value);
  const message = `\`${name}\` is already on line ${line}: give it once`;
  return { offset: range?.[0] ?? 0, size: Math.max(1, name.length), message };
}

/** Why a file cannot be parsed as YAML at all. @param text the file decoded as UTF-8 */
export function textFault(text: string): Fault | undefined {
  // A replacement character shows that the file, without its byte order mark, is not valid UTF-8.
  if (/^[\uFFFD\0]*[ -~]\0/.test(text)) return { offset: 0, size: 1, message: UTF_16 };
  const at = text.search(/\uFFFD|[^\P{Cc}\t\n\r\u0085]/u);
  const onlyReturns = at < 0 && /\r./.test(text) && !text.includes('\n');
  if (onlyReturns) return { offset: text.indexOf('\r'), size: 1, message: RETURNS };
  if (at < 0) return undefined;
  const found = text[at]!;
  const fault = (message: string): Fault => ({ offset: at, size: 1, message });
  if (found === '\0') return fault('this is not a text file: it has a zero byte here');
  if (found === '\uFFFD') return fault('the bytes here are not UTF-8: save the file as UTF-8');
  const code = found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return fault(`a control character (U+${code}) is here: remove it`);
}

/** What the top of a file contains instead of keys. */
export function topFault(value: unknown): string {
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'string'
      ? 'text'
      : `the value ${String(value)}`;
  return `expected keys such as \`providers:\`, found ${kind}`;
}
