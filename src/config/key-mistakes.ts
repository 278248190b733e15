/** Detects keys that are most likely mistakes. They are reported, and used nevertheless. */
import type { Path, Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config, ProviderConfig } from './schema.ts';
import { namesVariable, resolveKeys } from './keys.ts';
import { isBuiltIn, presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The prefixes of vendors' keys, longer ones first, and the provider types that accept them. */
const BEGINNINGS: readonly (readonly [beginning: string, vendor: string, types: readonly string[]])[] = [
  ['sk-ant-', 'Anthropic', ['anthropic']],
  ['sk-or-', 'OpenRouter', ['openrouter']],
  ['sk-proj-', 'OpenAI', ['openai']],
  ['sk-svcacct-', 'OpenAI', ['openai']],
  ['gsk_', 'Groq', ['groq']],
  ['xai-', 'xAI', ['xai', 'grok']],
  ['AIza', 'Google', ['gemini', 'vertex']],
  ['pplx-', 'Perplexity', ['perplexity', 'perplexity-sonar']],
  ['hf_', 'Hugging Face', ['huggingface']],
  ['csk-', 'Cerebras', ['cerebras']],
  ['fw_', 'Fireworks', ['fireworks']],
];

/**
 * Notations of other programs for environment variables. After a bare dollar sign only capitals are a name, not a
 * password.
 */
const REFERENCE =
  /^(?:os\.environ[/.]|env[./:])([A-Za-z_]\w*)$|^\$([A-Z][A-Z0-9_]+)$|^\$?\{\{\s*(?:env\.|secrets\.)?([A-Za-z_]\w*)\s*\}\}$|^%([A-Z][A-Z0-9_]+)%$/;

/** Placeholders that examples contain instead of a key. */
const PLACEHOLDER =
  /^(?:<.*>|\[.*\]|(?:sk-)?\.{3}|(?:sk-)?x{3,}|(?:your|my|insert|put|change|replace)[-_ ].*|.*(?:your|my)[-_ ]?(?:api[-_ ]?)?key.*|todo|changeme)$/i;

/** Warnings about the keys of providers and clients. */
export function checkKeys({ providers, auth }: Config, positions: Positions, env: Env): Problem[] {
  const clients = auth === undefined || auth === 'none' ? [] : auth.keys;
  return [
    ...providers.flatMap((provider, index) => checkProvider(provider, ['providers', index], positions, env)),
    ...clients.flatMap(({ key }, index) =>
      checkReference(key, ['auth', 'keys', index, 'key'], 'key_env', positions),
    ),
  ];
}

function checkProvider(provider: ProviderConfig, at: Path, positions: Positions, env: Env): Problem[] {
  const { api_key, api_keys = [], api_key_env: variable, client_secret, custom_headers } = provider;
  const written = [
    ...checkText(api_key, [...at, 'api_key'], 'api_key_env', positions),
    ...api_keys.flatMap((key, index) => checkText(key, [...at, 'api_keys', index], undefined, positions)),
    ...checkText(client_secret, [...at, 'client_secret'], undefined, positions),
    ...Object.entries(custom_headers).flatMap(([name, value]) =>
      checkText(value.replace(/^Bearer /i, ''), [...at, 'custom_headers', name], undefined, positions),
    ),
    ...(variable === undefined ? [] : checkVariable(variable, [...at, 'api_key_env'], positions)),
  ];
  return written.length > 0 ? written : checkVendor(provider, at, positions, env);
}

/** @param other the key that takes the name of an environment variable, if there is one */
function checkText(
  text: string | undefined,
  at: Path,
  other: string | undefined,
  positions: Positions,
): Problem[] {
  const reference = checkReference(text, at, other, positions);
  if (reference.length > 0 || text === undefined || !PLACEHOLDER.test(text)) return reference;
  const message = `\`${String(at.at(-1))}\` holds a placeholder from an example, not a key`;
  const hint =
    other === undefined
      ? 'write ${NAME} for the variable that holds it'
      : `name the variable that holds it: \`${other}: NAME\``;
  return [positions.atValue(at, message, { severity: 'warning', hint })];
}

function checkReference(
  text: string | undefined,
  at: Path,
  other: string | undefined,
  positions: Positions,
): Problem[] {
  const named = variableIn(text ?? '');
  if (named === undefined) return [];
  const hint = `write ${other === undefined ? '' : `\`${other}: ${named}\`, or `}\`\${${named}}\``;
  const message = `\`${String(at.at(-1))}\` is used literally: this is another program's notation for a variable`;
  return [positions.atValue(at, message, { severity: 'warning', hint })];
}

function variableIn(text: string): string | undefined {
  return REFERENCE.exec(text)
    ?.slice(1)
    .find((name) => name !== undefined);
}

function checkVariable(variable: string, at: Path, positions: Positions): Problem[] {
  const named = variableIn(variable);
  if (named === undefined && namesVariable(variable)) return [];
  const message =
    named === undefined
      ? '`api_key_env` takes the name of a variable, and this looks like a key'
      : '`api_key_env` takes the bare name of a variable';
  const hint =
    named === undefined
      ? 'write it as `api_key`, or better put it into a variable'
      : `write \`api_key_env: ${named}\``;
  return [positions.atValue(at, message, { severity: 'warning', hint })];
}

/** Detects a key of another vendor than the one it is sent to. */
function checkVendor(provider: ProviderConfig, at: Path, positions: Positions, env: Env): Problem[] {
  const { name, type, base_url: url, enabled } = provider;
  const { auth, keyOptional } = presetOf(type);
  // At another address other keys may be right, and a self-hosted server accepts any.
  if (!enabled || !isBuiltIn(type) || auth === 'none' || keyOptional || isElsewhere(type, url)) return [];
  const { keys, source } = resolveKeys(provider, env);
  const [beginning, vendor, types] =
    BEGINNINGS.find(([start]) => keys.some((key) => key.startsWith(start))) ?? [];
  if (beginning === undefined || types?.includes(type)) return [];
  const place = ['api_keys', 'api_key', 'api_key_env'].find((key) => key in provider);
  const message = `the key of provider \`${name}\` (${source}) looks like one of ${vendor}: it begins with ${beginning}`;
  const hint = `write \`type: ${types![0]}\`, or give a key of ${presetOf(type).title}`;
  return [positions.atValue([...at, place ?? 'name'], message, { severity: 'warning', hint })];
}

function isElsewhere(type: string, url: string | undefined): boolean {
  const { baseUrl } = presetOf(type);
  return url !== undefined && (baseUrl === undefined || URL.parse(url)?.host !== new URL(baseUrl).host);
}
