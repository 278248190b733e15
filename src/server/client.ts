import type { LogContent } from '../config/schema.ts';
import type { Access } from '../limits/access.ts';
import type { Caller } from '../limits/caller.ts';
import type { HeaderMap } from '../wire/headers.ts';
import { accessOf } from '../limits/access.ts';
import { UNRESTRICTED } from '../limits/caller.ts';

/** An authenticated caller. There is one object for each caller of a configuration. */
export interface Client extends Caller {
  /** How much of its requests is logged, if its key sets that. */
  readonly content: LogContent | undefined;
  readonly access: Access;
  /** What a token said about it; omitted for callers that are keys. */
  readonly token?: TokenFacts | undefined;
}

/** What the token of a caller said, as far as another configuration may understand it differently. */
export interface TokenFacts {
  /** The name of its issuer. */
  readonly issuer: string;
  /** Whether it named the group; otherwise the issuer's applies. */
  readonly namesGroup: boolean;
}

/** How a caller identified itself, for requests that last longer than a configuration. */
export interface Shown {
  readonly client: Client;
  readonly headers: HeaderMap;
  /** Whether a token identified it. */
  readonly byToken: boolean;
}

/** The caller of every request if the proxy needs no keys. */
export const ANYONE: Client = {
  ...UNRESTRICTED,
  key: null,
  group: undefined,
  content: undefined,
  access: accessOf({ ...UNRESTRICTED, group: undefined }, {}),
};
