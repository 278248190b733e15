/**
 * Parses YAML fifteen times as fast as the parser that records positions, if both certainly return the same.
 *
 * Bun's parser differs from that one only in duplicate keys, of which Bun silently uses the last, directives, multiple
 * documents, and merges, whose keys are counted twice here.
 * @returns `undefined` if the results might differ, and if the text is not valid YAML
 */
export function plainYaml(text: string): { readonly value: unknown } | undefined {
  if (/^(?:%|---|\.\.\.)/m.test(text)) return undefined;
  let value: unknown;
  try {
    value = Bun.YAML.parse(text);
  } catch {
    // The other parser reports the error.
    return undefined;
  }
  const code = text.replaceAll(/^\s*#.*$/gm, '');
  return pairsIn(value) === separatorsIn(code) && !hasBareKey(code) ? { value } : undefined;
}

/** The number of key-value pairs; `NaN` if one of them has no value, since it may then lack its colon. */
function pairsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + pairsIn(each), 0);
  const values: unknown[] = Object.values(value);
  return values.reduce(
    (sum: number, each) => sum + (each === null ? Number.NaN : pairsIn(each)),
    values.length,
  );
}

/**
 * The number of colons after which YAML may start a value. Colons within texts and after values count as well and only
 * increase the number, so that it equals the number of pairs only if no pair was lost.
 */
function separatorsIn(code: string): number {
  return code.match(/:(?=\s|$)|(?<=["'\]}]\s*):/g)?.length ?? 0;
}

/** Whether braces may contain a key without a colon, as in `{ a, b: 1 }`. */
function hasBareKey(code: string): boolean {
  const flat = code.replaceAll(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/g, '_').replaceAll(/\[[^[\]{}]*\]/g, '_');
  const maps = flat.match(/\{[^{}]*\}/g) ?? [];
  return maps.some((map) =>
    map
      .slice(1, -1)
      .split(',')
      .some((part) => /[^\s:]/.test(part) && !part.includes(':')),
  );
}
