import picomatch from 'picomatch';

/** Whether a model name is a pattern. */
export function isGlob(name: string): boolean {
  return /[*?[\]{}!]/.test(name);
}

/** A test for model names. `*` crosses slashes, because model names have them and are no paths. */
export function globMatcher(pattern: string): (name: string) => boolean {
  return picomatch(pattern, { bash: true, dot: true });
}
