const LATEST = ':latest';

/**
 * A model by the name that the configuration has for it: Ollama's clients write `:latest` behind a name that has no tag.
 * @param lists whether the configuration has a name
 */
export function plainName(name: string, lists: (name: string) => boolean): string {
  const bare = name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : '';
  return bare === '' || lists(name) ? name : bare;
}
