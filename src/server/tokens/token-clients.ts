/** Callers with a token of an identity provider in place of a key. */
import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { Clock } from '../../clock.ts';
import type { IssuerConfig } from '../../config/schema/auth.ts';
import type { Config } from '../../config/schema.ts';
import { ProxyError } from '../../errors.ts';
import type { Caller } from '../../limits/caller.ts';
import { UNRESTRICTED } from '../../limits/caller.ts';
import { accessOf } from '../../limits/access.ts';
import type { Client, TokenFacts } from '../client.ts';
import type { KnownKeys, Tokens } from './tokens.ts';
import { moreSpecific, RECOGNIZED, Refused } from '../refused.ts';
import { callerName } from './caller-name.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { verifyToken } from './verify.ts';

/** The number of cached tokens and callers: the oldest are dropped first, and cost a verification when they return. */
const MAX_TOKENS = 10_000;
const MAX_CALLERS = 10_000;

export interface TokenDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly groups: Config['groups'];
  /** The issuers in the configuration, each with its keys. */
  readonly issuers: readonly { readonly issuer: IssuerConfig; readonly keys: IssuerKeys }[];
  /** The keys that claims may refer to. */
  readonly known: KnownKeys;
}

/** A verified token. */
interface Seen {
  /** When it expires, milliseconds since 1970. */
  readonly endsMs: number;
  /** Its caller, looked up for each request if it is a key's: that key may expire before the token does. */
  readonly client: () => Client;
}

export class TokenClients implements Tokens {
  readonly #deps: TokenDeps;
  /** By hash: the tokens themselves are not kept. */
  readonly #seen = new Map<string, Seen>();
  /** By name and group, so that each is a single object. */
  readonly #callers = new Map<string, Client>();

  constructor(deps: TokenDeps) {
    this.#deps = deps;
  }

  /** Three parts in base64url, the last of which is empty in unsigned tokens. */
  readonly resembles = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);

  readonly claims = (text: string): boolean => {
    const named = this.resembles(text) ? claimedIssuer(text) : undefined;
    return this.#deps.issuers.some(({ issuer }) => issuer.issuer === named);
  };

  readonly client = (token: string): Client | Promise<Client> => {
    const hash = createHash('sha256').update(token).digest('base64');
    const seen = this.#seen.get(hash);
    if (!seen) return this.#verify(token, hash);
    if (this.#deps.clock.now() < seen.endsMs) return seen.client();
    this.#seen.delete(hash);
    throw new Refused(RECOGNIZED.meant, 'Cannot accept the token: it has expired');
  };

  readonly again = ({ key, group }: Client, { issuer: name, namesGroup }: TokenFacts): Client => {
    const found = this.#deps.issuers.find(({ issuer }) => issuer.name === name)?.issuer;
    if (!found || key === null) throw unknownIssuer();
    if (!namesGroup) return this.#caller(key, undefined, found);
    if (group !== undefined && Object.hasOwn(this.#deps.groups, group))
      return this.#caller(key, group, found);
    throw unknownGroup(found);
  };

  async #verify(token: string, hash: string): Promise<Client> {
    const named = claimedIssuer(token);
    if (named === undefined)
      throw new Refused(RECOGNIZED.form, 'Cannot accept the token: it is not a valid JWT');
    const candidates = this.#deps.issuers.filter(({ issuer }) => issuer.issuer === named);
    let refusal: ProxyError = unknownIssuer();
    // An issuer may be configured several times, for different audiences.
    for (const { issuer, keys } of candidates) {
      try {
        const claims = await verifyToken(token, issuer, keys, this.#deps.clock.now());
        const client = this.#callerOf(claims, issuer);
        remember(this.#seen, hash, { client, endsMs: claims.exp * 1_000 + issuer.clock_skew }, MAX_TOKENS);
        return client();
      } catch (thrown) {
        if (!(thrown instanceof ProxyError) || thrown.fault === 'not_permitted') throw thrown;
        refusal = moreSpecific(refusal, thrown);
      }
    }
    throw refusal;
  }

  /** The caller that the claims identify. @throws ProxyError `unauthenticated`, `not_permitted` */
  #callerOf(claims: JWTPayload, issuer: IssuerConfig): () => Client {
    const { known } = this.#deps;
    const key = issuer.key_claim === undefined ? undefined : claims[issuer.key_claim];
    if (typeof key === 'string') return () => known.named(key);
    if (key !== undefined) throw odd(issuer.key_claim!);
    const identity = claims[issuer.identity_claim];
    if (typeof identity !== 'string' || identity === '') throw odd(issuer.identity_claim);
    const client = this.#caller(callerName(issuer.name, identity), this.#groupIn(claims, issuer), issuer);
    return () => client;
  }

  /**
   * The first of several groups in a token that is known here; `undefined` if it does not name any.
   * @throws ProxyError `not_permitted` if none is known
   */
  #groupIn(claims: JWTPayload, issuer: IssuerConfig): string | undefined {
    const claim = issuer.group_claim;
    const named = claim === undefined ? undefined : claims[claim];
    if (named === undefined) return undefined;
    const found = [named]
      .flat()
      .find((each) => typeof each === 'string' && Object.hasOwn(this.#deps.groups, each));
    if (found !== undefined) return found as string;
    throw unknownGroup(issuer);
  }

  /** @param named the group in its token */
  #caller(
    name: string,
    named: string | undefined,
    { name: issuer, group: usual, log }: IssuerConfig,
  ): Client {
    const id = `${name}\n${named ?? ''}`;
    const last = this.#callers.get(id);
    if (last) return last;
    const caller: Caller = { ...UNRESTRICTED, key: name, group: named ?? usual };
    const token = { issuer, namesGroup: named !== undefined };
    const client = { ...caller, content: log, access: accessOf(caller, this.#deps.groups), token };
    remember(this.#callers, id, client, MAX_CALLERS);
    return client;
  }
}

/** The issuer that a token claims, unverified: empty for none, `undefined` if it is not a JWT. */
function claimedIssuer(token: string): string | undefined {
  try {
    const { iss } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as JWTPayload;
    return typeof iss === 'string' ? iss : '';
  } catch {
    // Neither JSON nor an object: such a text only looks like a token.
    return undefined;
  }
}

function unknownIssuer(): Refused {
  return new Refused(RECOGNIZED.token, 'Cannot accept the token: its issuer is unknown');
}

function unknownGroup({ group_claim: claim }: IssuerConfig): ProxyError {
  return new ProxyError(
    'not_permitted',
    `Cannot accept the token: its "${claim}" names no known group; ask the operator`,
  );
}

function odd(claim: string): Refused {
  return new Refused(RECOGNIZED.meant, `Cannot accept the token: its "${claim}" is missing or not a text`);
}

function remember<Value>(map: Map<string, Value>, id: string, value: Value, most: number): void {
  if (map.size >= most) map.delete(map.keys().next().value!);
  map.set(id, value);
}
