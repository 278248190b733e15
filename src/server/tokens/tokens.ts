import type { Client, TokenFacts } from '../client.ts';
import { ProxyError } from '../../errors.ts';
import { moreSpecific } from '../refused.ts';

/** Accepts tokens of identity providers in place of keys. */
export interface Tokens {
  /** Whether a text may be a token. */
  readonly resembles: (text: string) => boolean;
  /** Whether a text claims to be a token of one of the issuers. */
  readonly claims: (text: string) => boolean;
  /**
   * The caller that a token belongs to; without a promise if the token is cached.
   * @throws ProxyError `unauthenticated`, `not_permitted`, or `unavailable` while the issuer's keys cannot be fetched
   */
  readonly client: (token: string) => Client | Promise<Client>;
  /**
   * The caller of a token that was valid under an earlier configuration.
   * @throws ProxyError `unauthenticated`, `not_permitted`
   */
  readonly again: (client: Client, facts: TokenFacts) => Client;
}

/** What tokens may refer to. */
export interface KnownKeys {
  /** The caller whose key has this name. @throws ProxyError if there is none, or it must not call */
  readonly named: (name: string) => Client;
}

/**
 * The caller of the first valid token: clients send a placeholder in one header and the token in another.
 * @param refusal of what is not a token
 */
export async function firstValid(
  tokens: Tokens,
  texts: readonly string[],
  refusal: ProxyError,
): Promise<Client> {
  let why = refusal;
  for (const text of texts) {
    try {
      return await tokens.client(text);
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      why = moreSpecific(why, thrown);
    }
  }
  throw why;
}
