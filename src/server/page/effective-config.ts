import type { ServerContext } from '../context.ts';
import { masked } from '../../config/mask.ts';
import { yamlText } from './yaml-text.ts';

/**
 * The current configuration as YAML, with its secrets masked. It is written in steps: thousands of providers must not
 * delay other requests.
 */
export async function effectiveConfig({
  config,
  mask,
  turns,
}: ServerContext): Promise<{ readonly yaml: string }> {
  const text = await turns.run(yamlText(masked(config), (part) => withoutSecrets(part, mask)));
  return { yaml: `# Durations are in milliseconds, sizes in bytes.\n${text}` };
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
