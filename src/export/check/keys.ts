/**
 * A key that stands twice in one object of JSON text, or `undefined`. `JSON.parse` takes the last one without a word;
 * pyarrow, which HF `datasets` reads with, rejects the file.
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found, colon] = match;
    if (found === '{') objects.push(new Set());
    else if (found === '[') objects.push(undefined);
    else if (found === '}' || found === ']') objects.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(found.slice(0, -colon.length)) as string;
      const keys = objects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
