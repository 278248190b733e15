/** Signatures of rows for all comparisons of an export, concatenated. */
import type { Conversation } from '../../conversation/conversation.ts';
import { MinHasher, PairHasher } from './minhash.ts';
import { SIGNATURE_BYTES } from './signature.ts';
import { nearText, nearTexts } from './text.ts';

/** The comparisons of an export, each of which needs a signature of every row. */
export interface Compared {
  /** For near duplicates: what is trained, and what is only shown. */
  readonly duplicates: boolean;
  /** For leaks between splits: the whole text. */
  readonly leaks: boolean;
}

export class RowSigner {
  readonly #duplicates: PairHasher | undefined;
  readonly #leaks: MinHasher | undefined;

  constructor({ duplicates, leaks }: Compared, options: { readonly seed: number }) {
    this.#duplicates = duplicates ? new PairHasher(options) : undefined;
    this.#leaks = leaks ? new MinHasher(options) : undefined;
  }

  /** @param answers which answers of the row are trained */
  sign(conversation: Conversation, answers: 'all' | 'last'): Uint8Array {
    const { trained, shown } = nearTexts(conversation, answers);
    return Buffer.concat([
      ...(this.#duplicates ? [this.#duplicates.signature(trained, shown)] : []),
      ...(this.#leaks ? [this.#leaks.signature(nearText(conversation))] : []),
    ]);
  }
}

/** The parts of a row's signature, each valid until the next call. */
export interface RowSignatures {
  readonly duplicates: (row: number) => Uint8Array;
  readonly leaks: (row: number) => Uint8Array;
}

/** @param of the signature of a row, as {@link RowSigner} makes it */
export function signaturesOf({ duplicates }: Compared, of: (row: number) => Uint8Array): RowSignatures {
  const leaksFrom = duplicates ? SIGNATURE_BYTES : 0;
  return {
    duplicates: (row) => of(row).subarray(0, SIGNATURE_BYTES),
    leaks: (row) => of(row).subarray(leaksFrom, leaksFrom + SIGNATURE_BYTES),
  };
}
