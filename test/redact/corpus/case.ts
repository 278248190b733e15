/** What the measurement is made of. */
import type { RedactKind } from '../../../src/config/redact-kinds.ts';

export interface Case {
  readonly kind: RedactKind;
  /** Which part of the kind: a country, a vendor, a way of writing. */
  readonly group: string;
  /** What is to be hidden. */
  readonly secret: string;
  /** Where it stands. */
  readonly text: string;
}
