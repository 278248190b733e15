import type { BaseProvider } from '../providers/base.ts';
import type { ProviderPlace } from './names.ts';
import { HttpProvider } from '../providers/http.ts';

const known = new WeakMap<BaseProvider, ProviderPlace>();

/** The address of a provider, as traces show it. */
export function placeOf(provider: BaseProvider | undefined): ProviderPlace | undefined {
  if (!provider) return undefined;
  let place = known.get(provider);
  if (!place) known.set(provider, (place = found(provider)));
  return place;
}

function found(provider: BaseProvider): ProviderPlace {
  const { type } = provider.settings;
  const url = provider instanceof HttpProvider ? urlOf(provider) : null;
  if (!url) return { type, address: undefined, port: undefined };
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  return { type, address: url.hostname, port };
}

function urlOf(provider: HttpProvider): URL | null {
  try {
    return URL.parse(provider.baseUrl);
  } catch {
    // A provider without an address, or whose plugin does not know it yet.
    return null;
  }
}
