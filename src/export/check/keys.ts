import { stringEnd } from '../../wire/json-string-end.ts';

/** What may follow a key. */
const COLON = /\s*:/y;

/**
 * A key that occurs twice in one object of JSON text, or `undefined`. `JSON.parse` silently uses the last one; pyarrow,
 * with which HF `datasets` reads, rejects the file.
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  const token = /["{}[\]]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const { 0: found, index } = match;
    if (found === '{') objects.push(new Set());
    else if (found === '[') objects.push(undefined);
    else if (found === '}' || found === ']') objects.pop();
    else {
      token.lastIndex = COLON.lastIndex = stringEnd(text, index + 1) + 1;
      const keys = objects.at(-1);
      if (!keys || !COLON.test(text)) continue;
      const key = JSON.parse(text.slice(index, token.lastIndex)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
