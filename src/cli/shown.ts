import type { Config } from '../config/schema.ts';
import { secretsOf } from '../config/keys.ts';
import { masker } from '../logs/redact.ts';

/** A value for display, with the secrets of the configuration redacted in all its texts. */
export function withoutSecrets<Value>(value: Value, config: Config): Value {
  const mask = masker(secretsOf(config, process.env));
  const shown = (each: unknown): unknown => {
    if (typeof each === 'string') return mask(each);
    if (Array.isArray(each)) return each.map(shown);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [mask(name), shown(inner)]));
  };
  return shown(value) as Value;
}
