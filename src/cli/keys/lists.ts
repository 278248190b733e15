import { repeated } from '../argv/parse.ts';
import { ExitError } from '../exit.ts';

/**
 * Parses a list flag: items separated by commas, except commas within braces. An empty text is an empty list.
 * @returns `undefined` if the flag is omitted
 */
export function listFlag(value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const words = value.match(/(?:\{[^}]*\}|[^,])+/g) ?? [];
  return words.map((word) => word.trim()).filter((word) => word !== '');
}

/** Parses `--label team=search`, which may be repeated. @throws ExitError 2 for a label without a name */
export function labelsIn(args: readonly string[]): Record<string, string> | undefined {
  const pairs = repeated(args, 'label').map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw new ExitError(2, `Cannot use --label ${text}: expected NAME=VALUE, such as team=search`);
  });
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
