/** The cases of the measurement. */
import type { RedactKind } from '../../../src/config/redact-kinds.ts';

export interface Case {
  readonly kind: RedactKind;
  /** The part of the kind: a country, a vendor, a notation. */
  readonly group: string;
  /** The value that must be hidden. */
  readonly secret: string;
  /** The text that contains it. */
  readonly text: string;
}
