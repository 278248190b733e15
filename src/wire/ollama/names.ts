const LATEST = ':latest';

/**
 * The configured name of a model: Ollama's clients append `:latest` to a name without a tag.
 * @param lists whether the configuration has a name
 */
export function plainName(name: string, lists: (name: string) => boolean): string {
  const bare = name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : '';
  return bare === '' || lists(name) ? name : bare;
}
