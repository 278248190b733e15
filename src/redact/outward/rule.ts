import type { OutwardRule } from '../../config/schema/redaction.ts';
import { redactKinds } from '../../config/redact-kinds.ts';

/** The names of what a rule replaces: kinds and patterns. */
export function namesOf(rule: OutwardRule | undefined): string[] {
  return rule ? [...rule.kinds, ...rule.patterns.map(({ name }) => name)] : [];
}

/** What two rules ask for together: whatever either of them hides is hidden, and the stricter one decides the rest. */
export function bothRules(
  one: OutwardRule | undefined,
  other: OutwardRule | undefined,
): OutwardRule | undefined {
  if (!one || !other || one === other) return one ?? other;
  const names = new Set(one.patterns.map(({ name, pattern }) => `${name}=${pattern}`));
  return {
    kinds: redactKinds([...one.kinds, ...other.kinds]),
    patterns: [
      ...one.patterns,
      ...other.patterns.filter(({ name, pattern }) => !names.has(`${name}=${pattern}`)),
    ],
    restore: one.restore || other.restore,
    media: one.media === 'refuse' ? 'refuse' : other.media,
    timeout: Math.min(one.timeout, other.timeout),
  };
}
