import type { ServerContext } from '../context.ts';
import { masked } from '../../config/mask.ts';

/**
 * The current configuration as YAML, with its secrets masked. Bun writes it fifteen times as fast as the library that
 * parses it: thousands of providers must not delay other requests.
 */
export function effectiveConfig({ config, mask }: ServerContext): { readonly yaml: string } {
  const safe = withoutSecrets(masked(config), mask);
  return { yaml: `# Durations are in milliseconds, sizes in bytes.\n${Bun.YAML.stringify(safe, null, 2)}` };
}

/** Secrets may also be in unexpected places, such as the URL of a provider. */
function withoutSecrets(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [mask(name), withoutSecrets(each, mask)]),
  );
}
