import { ProxyError } from '../errors.ts';

/** How much of a credential was recognized before it was refused. */
export const RECOGNIZED = {
  nothing: 0,
  /** It has the form of a token. */
  form: 1,
  /** It is a token. */
  token: 2,
  /** It names an issuer of the configuration. */
  issuer: 3,
  /** That issuer signed it. */
  signature: 4,
  /** It was accepted before, will be later, or lacks only a claim. */
  meant: 5,
} as const;

/** A refused credential. Clients send a placeholder beside the real one, and only the reason for that one helps. */
export class Refused extends ProxyError {
  readonly recognized: number;

  /** @param recognized one of {@link RECOGNIZED} */
  constructor(recognized: number, message: string) {
    super('unauthenticated', message);
    this.recognized = recognized;
  }
}

/** The refusal that tells the caller more; the first of two that tell as much. */
export function moreSpecific(first: ProxyError | undefined, second: ProxyError): ProxyError {
  return first && specificityOf(first) >= specificityOf(second) ? first : second;
}

/** How much a refusal tells the caller; 0 if nothing about its credential is known. */
export function specificityOf(refusal: ProxyError): number {
  // It may be valid.
  if (refusal.fault === 'unavailable') return 7;
  if (refusal.fault === 'not_permitted') return 6;
  return refusal instanceof Refused ? refusal.recognized : RECOGNIZED.nothing;
}
