/** Values in agentgateway's notation. */
import type { Draft, Key } from './draft.ts';
import type { Deployment } from './routes.ts';

/** Adds a model of a provider to a name. @param note a difference to mention */
export type Add = (name: string, deployment: Deployment, note?: string) => void;

/** Its names of vendors, in lower case. */
export const TYPES: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'gemini',
  vertex: 'vertex',
  bedrock: 'bedrock',
  azure: 'azure',
  azureopenai: 'azure',
  custom: 'openai-compatible',
};

/** A text that may be a reference to a variable. */
export function variable(text: string | undefined, draft: Draft, fallback: string): string | undefined {
  const key = keyOf(text);
  if (key === undefined) return undefined;
  return 'env' in key ? draft.variable(key.env, fallback) : key.literal;
}

/** Converts `$NAME` to a variable. */
export function asKey(text: string): Key {
  const env = /^\$\{?(\w+)(?::-[^}]*)?\}?$/.exec(text.trim())?.[1];
  return env === undefined ? { literal: text } : { env };
}

/** The same for an optional text. */
export function keyOf(text: string | undefined): Key | undefined {
  return text === undefined || text === '' ? undefined : asKey(text);
}

/** Whether an address has no path. */
export function bareHost(key: Key | undefined): boolean {
  return (
    key !== undefined &&
    'literal' in key &&
    (URL.parse(/^https?:/.test(key.literal) ? key.literal : `https://${key.literal}`)?.pathname ?? '/') ===
      '/'
  );
}

/** A name for a provider, derived from its address. */
export function hostName(key: Key | undefined): string {
  return key && 'literal' in key
    ? (URL.parse(key.literal)?.hostname ?? key.literal).replace(/^(?:www|api)\./, '')
    : 'openai-compatible';
}

/** A placeholder address, if the file has none. */
export function missing(notes: Set<string>): string {
  notes.add('The file contains no address: add it here.');
  return 'https://address-is-missing.invalid/v1';
}
