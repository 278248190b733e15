/** Measures how much of what must be hidden is hidden, and what else is. */
import { Redactor } from '../../../src/redact/redactor.ts';
import type { RedactKind } from '../../../src/config/redact-kinds.ts';
import { REDACT_KINDS } from '../../../src/config/redact-kinds.ts';
import { emailCases, ipCases } from './addresses.ts';
import type { Case } from './case.ts';
import { nationalIdCases, ssnCases } from './ids.ts';
import { jwtCases, keyCases, privateKeyCases } from './keys.ts';
import { cardCases, ibanCases } from './money.ts';
import { negatives } from './negatives.ts';
import { phoneCases } from './phones.ts';
import { chance } from './seeded.ts';

export interface Measured {
  readonly kind: RedactKind;
  readonly cases: readonly Case[];
  /** Values that were not hidden. */
  readonly missed: readonly Case[];
  /** Texts without values of this kind in which some were found. */
  readonly false: readonly string[];
}

const SEED = 20_260_101;

const CORPORA: Readonly<Record<RedactKind, readonly ((seeded: ReturnType<typeof chance>) => Case[])[]>> = {
  email: [emailCases],
  phone: [phoneCases],
  card: [cardCases],
  iban: [ibanCases],
  ssn: [ssnCases],
  national_id: [nationalIdCases],
  ip: [ipCases],
  key: [keyCases],
  jwt: [jwtCases],
  private_key: [privateKeyCases],
};

export function casesOf(kind: RedactKind): Case[] {
  return CORPORA[kind].flatMap((make) => make(chance(SEED)));
}

export function negativeLines(): string[] {
  return negatives(chance(SEED));
}

/** All kinds search all texts, as in real use. */
export function measure(): Measured[] {
  const redactor = new Redactor({ kinds: REDACT_KINDS, custom: [], mode: 'tag', salt: '' });
  const lines = negativeLines().map((line) => ({ line, hidden: hide(redactor, line) }));
  return REDACT_KINDS.map((kind) => {
    const cases = casesOf(kind);
    const tag = `[${kind.toUpperCase()}_`;
    return {
      kind,
      cases,
      missed: cases.filter((found) => leaks(found.secret, hide(redactor, found.text))),
      false: lines.filter(({ hidden }) => hidden.includes(tag)).map(({ line }) => line),
    };
  });
}

/** Searches JSON by its values, and everything else as text. */
function hide(redactor: Redactor, text: string): string {
  redactor.fresh();
  return redactor.value(text) as string;
}

/** Whether a large part of the secret remains beside its replacement. */
export function leaks(secret: string, hidden: string): boolean {
  const left = hidden.replaceAll(/\[[A-Z_]+_\d+\]/g, '\n');
  const size = Math.max(4, Math.ceil(secret.length / 3));
  for (let at = 0; at + size <= secret.length; at++)
    if (left.includes(secret.slice(at, at + size))) return true;
  return secret.length < size && left.includes(secret);
}
