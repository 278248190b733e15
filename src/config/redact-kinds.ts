/** The kinds of secrets and personal data that are recognised by their form; `src/redact` implements them. */
export const REDACT_KINDS = [
  'email',
  'phone',
  'card',
  'iban',
  'ssn',
  'national_id',
  'ip',
  'key',
  'jwt',
  'private_key',
] as const;

export type RedactKind = (typeof REDACT_KINDS)[number];

/** The kinds that a list names. @param named `all` stands for every kind */
export function redactKinds(named: readonly (RedactKind | 'all')[]): readonly RedactKind[] {
  return named.includes('all') ? REDACT_KINDS : REDACT_KINDS.filter((kind) => named.includes(kind));
}
