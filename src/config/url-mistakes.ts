/** Detects base URLs that most likely lack a part or have one too many. They are reported, and used nevertheless. */
import type { Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Preset } from './presets.ts';
import type { Config, ProviderConfig } from './schema.ts';
import { PRESETS, presetOf } from './presets.ts';

/** Endings of URLs that requests add themselves. */
const ENDPOINT =
  /\/(?:chat\/completions|completions|messages|responses|embeddings|models|api\/(?:chat|generate|tags))\/*$/;

/** A problem with a URL, and the URL that was probably meant. */
interface Mistake {
  readonly message: string;
  readonly meant: string;
}

/** Warnings about `base_url`. */
export function checkAddresses({ providers }: Config, positions: Positions): Problem[] {
  return providers.flatMap((provider, index) => {
    const url = provider.base_url === undefined ? null : URL.parse(provider.base_url);
    const mistake = url && mistakeIn(url, provider);
    if (!mistake) return [];
    const { message, meant } = mistake;
    const hint = `write \`base_url: ${meant}\``;
    return [positions.atValue(['providers', index, 'base_url'], message, { severity: 'warning', hint })];
  });
}

function mistakeIn(url: URL, provider: ProviderConfig): Mistake | undefined {
  const path = url.pathname.replace(/\/+$/, '');
  const at = (other: string) => `${url.origin}${other}`;
  const endpoint = ENDPOINT.exec(path);
  if (endpoint) {
    const message = `base_url names an endpoint: requests add ${endpoint[0].replace(/\/+$/, '')} themselves`;
    const before = path.slice(0, endpoint.index);
    return { message, meant: at(before || (usualPath(url, provider) ?? '')) };
  }
  const doubled = /(\/v\d+)\1$/.exec(path);
  if (doubled)
    return { message: `base_url has ${doubled[1]} twice`, meant: at(path.slice(0, -doubled[1]!.length)) };
  if (provider.type === 'azure') return azureMistake(path, at, provider.api_version !== undefined);
  const usual = usualPath(url, provider);
  if (usual === undefined || usual === path) return undefined;
  if (usual.startsWith(`${path}/`) || path === '')
    return {
      message: `base_url lacks ${usual.slice(path.length)}, below which ${nameOf(provider)} has its API`,
      meant: at(usual),
    };
  const more = path.slice(usual.length);
  // Vendors accept both versions as one; DeepSeek's is an alias.
  if (!path.startsWith(usual) || !/^\/v\d/.test(more) || isHarmless(provider.type, more)) return undefined;
  return { message: `base_url ends with ${more}, which ${nameOf(provider)} does not have`, meant: at(usual) };
}

/** The path of the API at a known address; `undefined` if it may be any. */
function usualPath({ host, port }: URL, { type }: ProviderConfig): string | undefined {
  const own: Preset = presetOf(type);
  const ownUrl = own.baseUrl === undefined ? undefined : new URL(own.baseUrl);
  // A self-hosted server may be at any host, and has its API at the path of its preset.
  if (ownUrl && (ownUrl.host === host || own.keyOptional)) return tidy(ownUrl.pathname);
  if (type !== 'openai-compatible') return undefined;
  const vendor = Object.values<Preset>(PRESETS).find(
    ({ api, baseUrl }) =>
      api === 'openai' &&
      baseUrl !== undefined &&
      (new URL(baseUrl).host === host || (port === '11434' && new URL(baseUrl).port === port)),
  );
  return vendor?.baseUrl === undefined ? undefined : tidy(new URL(vendor.baseUrl).pathname);
}

/** Azure's deployments are below the root, its v1 API is not. */
function azureMistake(path: string, at: (other: string) => string, hasVersion: boolean): Mistake | undefined {
  if (hasVersion && /^\/openai(?:\/v1)?$/.test(path))
    return { message: `base_url must not contain ${path} with \`api_version\``, meant: at('') };
  if (!hasVersion && (path === '' || path === '/openai'))
    return { message: 'base_url lacks /openai/v1, below which Azure has its API', meant: at('/openai/v1') };
  return undefined;
}

function isHarmless(type: string, more: string): boolean {
  return type === 'deepseek' || (more === '/v1' && type === 'anthropic');
}

function nameOf({ type }: ProviderConfig): string {
  return type === 'openai-compatible' ? 'this server' : presetOf(type).title;
}

function tidy(path: string): string {
  return path.replace(/\/+$/, '');
}
