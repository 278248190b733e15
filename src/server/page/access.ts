/** Who may read the page: a key in the request, a sign-in, or everybody if there are no keys. */
import { z } from 'zod';
import type { Session } from '../../web/api.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import type { Client } from '../client.ts';
import type { ServerContext } from '../context.ts';
import type { SignedIn } from './sessions.ts';
import { ProxyError } from '../../errors.ts';
import { readAtMost } from './read-json.ts';
import { cookieWith, tokenIn } from './cookie.ts';

const entered = z.strictObject({ key: z.string().min(1).max(4_096) });

/** Why content is not shown. */
export const NO_CONTENT =
  'what people and models wrote is not for keys that read ops pages only (ops: only in auth.keys)';

export class Access {
  readonly #context: ServerContext;
  readonly #path: string;

  /** @param path below which the cookie is sent */
  constructor(context: ServerContext, path: string) {
    this.#context = context;
    this.#path = path;
  }

  /** Whether the page may be read. */
  mayRead(headers: HeaderMap): boolean {
    return this.#context.auth.operates(headers) || this.#signedIn(headers) !== undefined;
  }

  /** Requires permission to read the page. @throws ProxyError `unauthenticated`, `not_permitted` */
  reader(headers: HeaderMap): void {
    if (!this.mayRead(headers)) this.#context.auth.operator(headers);
  }

  /** Whether the content of requests may be read. */
  mayReadContent(headers: HeaderMap): boolean {
    const signedIn = this.#signedIn(headers);
    return (
      this.#context.auth.readsContent(headers) ||
      (signedIn !== undefined && this.#named(signedIn.key, null) !== undefined)
    );
  }

  /** Requires that permission. @throws ProxyError `not_permitted` */
  contentReader(headers: HeaderMap): void {
    if (this.mayReadContent(headers)) return;
    throw new ProxyError('not_permitted', `Cannot show it: ${NO_CONTENT}`);
  }

  session(headers: HeaderMap): Session {
    const { auth, version } = this.#context;
    const signedIn = this.#signedIn(headers);
    const key = signedIn?.key ?? null;
    return {
      open: this.mayRead(headers),
      signedIn: signedIn !== undefined,
      key,
      asks: auth.open || (key === null ? auth.readsContent(headers) : this.#named(key, 'chat') !== undefined),
      version,
      logged: this.#context.log() !== null,
      content: this.mayReadContent(headers),
    };
  }

  /**
   * Signs in with a key.
   * @returns the cookie that represents it
   * @throws ProxyError `unauthenticated`, `not_permitted`, `invalid_request`
   */
  async signIn(request: Request, headers: HeaderMap): Promise<string> {
    const { auth, page } = this.#context;
    const given = entered.safeParse(await readAtMost(request, 16_384));
    if (!given.success) throw new ProxyError('invalid_request', 'Cannot sign in: expected {"key": "..."}');
    if (auth.open) throw new ProxyError('invalid_request', 'Cannot sign in: this proxy has no keys');
    const key = auth.operatorKey({ authorization: `Bearer ${given.data.key.trim()}` });
    return cookieWith(page.sessions.begin(key), headers, this.#path);
  }

  /** @returns the cookie that replaces it */
  signOut(headers: HeaderMap): string {
    const signedIn = this.#signedIn(headers);
    if (signedIn) {
      const { id, until } = signedIn;
      this.#context.page.sessions.end(signedIn);
      this.#context.fleet?.publish({ kind: 'signed_out', id, until });
    }
    return cookieWith('', headers, this.#path);
  }

  /**
   * The caller in whose name the reader of the page sends requests to models.
   * @throws ProxyError `not_permitted` if the key must not
   */
  client(headers: HeaderMap): Client | Promise<Client> {
    const { auth } = this.#context;
    const signedIn = this.#signedIn(headers);
    return signedIn ? auth.asker(signedIn.key, 'chat') : auth.client(headers, 'chat');
  }

  /** The caller whose key has this name; `undefined` if it must not call. */
  #named(key: string, endpoint: 'chat' | null): Client | undefined {
    try {
      return this.#context.auth.asker(key, endpoint);
    } catch (error) {
      if (error instanceof ProxyError) return undefined;
      throw error;
    }
  }

  #signedIn(headers: HeaderMap): SignedIn | undefined {
    const { auth, page } = this.#context;
    const token = tokenIn(headers);
    return token === '' || auth.open
      ? undefined
      : page.sessions.look(token, (key) => auth.operatorHashes(key));
  }
}
