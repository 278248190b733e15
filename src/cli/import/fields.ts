/** Kinds of values that several programs write in the same way. */
import { namesCredential } from '../../config/keys.ts';
import type { Draft, Key } from './draft.ts';
import type { Given } from './given.ts';
import { variableName } from './secrets.ts';

/** Seconds as a duration. */
export function seconds(count: number | undefined): string | undefined {
  if (count === undefined || count <= 0) return undefined;
  return Number.isInteger(count) ? `${count}s` : `${Math.max(1, Math.round(count * 1_000))}ms`;
}

/** Milliseconds as a duration. */
export function milliseconds(count: number | undefined): string | undefined {
  if (count === undefined || count <= 0) return undefined;
  return count % 1_000 === 0 ? `${count / 1_000}s` : `${Math.round(count)}ms`;
}

/**
 * The URL of a provider. Parts that may be secret are left out.
 * @param path the ending that it needs
 */
export function address(written: Key | string | undefined, draft: Draft, path = ''): string | undefined {
  if (written === undefined || written === '') return undefined;
  if (typeof written === 'object' && 'env' in written) {
    const fallback = `https://${written.env.toLowerCase().replaceAll('_', '-')}.invalid`;
    return `${draft.variable(written.env, fallback)}${path}`;
  }
  const text = typeof written === 'string' ? written : written.literal;
  // A host name that contains variables cannot be parsed yet.
  if (text.includes('${') && /^https?:\/\/[^@?#\s]+$/.test(text))
    return withPath(text.replace(/\/+$/, ''), path);
  const url = URL.parse(/^https?:/.test(text) ? text : `https://${text}`);
  if (!url) return undefined;
  const secret = url.username !== '' || url.password !== '' || url.search !== '';
  if (secret)
    draft.notes.add(
      `The address at ${url.host} had a user or a query, which is left out: send it as a header.`,
    );
  const bare = `${url.origin}${url.pathname}`
    .replace(/\/+$/, '')
    .replace(/\/(?:chat\/completions|completions)$/, '');
  return withPath(bare, path);
}

function withPath(address: string, path: string): string {
  return address.endsWith(path) ? address : `${address}${path}`;
}

/** Headers for every request; credentials are replaced by variables. */
export function headersOf(
  given: Given | undefined,
  draft: Draft,
  read: (text: string) => Key,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of given?.keys ?? []) {
    const text = given!.text(name);
    if (text === undefined || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) continue;
    const value = read(text);
    if ('env' in value) headers[name] = draft.variable(value.env, '');
    else if (!namesCredential(name)) headers[name] = value.literal;
    else {
      const env = draft.keys.nameFor(value.literal, variableName(name));
      draft.notes.add(
        `The value of the header ${name} was in the file: put it into the environment as ${env}.`,
      );
      headers[name] = draft.variable(env, '');
    }
  }
  return headers;
}

/** A duration such as 30d or 1h as the window of a limit. */
export function windowOf(span: string | undefined): string | undefined {
  const [, count, unit = ''] = /^(\d+)?\s*([a-zA-Z]+)$/.exec(span?.trim() ?? '') ?? [];
  const many = Number(count ?? 1);
  const key = `${many}${unit.toLowerCase() === 'mo' || unit === 'M' ? 'mo' : unit.toLowerCase().slice(0, 1)}`;
  return WINDOWS[key];
}

const WINDOWS: Readonly<Record<string, string>> = {
  '1s': 'second',
  '1m': 'minute',
  '60s': 'minute',
  '1h': 'hour',
  '60m': 'hour',
  '1d': 'day',
  '24h': 'day',
  '7d': 'week',
  '1w': 'week',
  '30d': 'month',
  '31d': 'month',
  '1mo': 'month',
};
