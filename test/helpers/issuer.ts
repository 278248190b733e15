/** An identity provider on a real socket: OpenID Connect discovery, a key set, and tokens signed with its keys. */
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** How often its keys were requested. */
  readonly fetches: () => number;
  /** The status to answer with instead of its keys; `undefined` to serve the keys. */
  fails: number | undefined;
  /** Replaces the last key with a new one. */
  rotate(alg?: string, options?: { kid?: boolean; keep?: boolean }): Promise<void>;
  /** A token that is valid for an hour, unless the claims say otherwise; `undefined` removes a claim. */
  token(claims?: JWTPayload, header?: object): Promise<string>;
  /** The public part of the last key. */
  readonly publicKey: () => JWK;
}

export const AUDIENCE = 'llmproxy';

export async function issuer(alg = 'RS256', nowMs: () => number = Date.now): Promise<Issuer> {
  let fetches = 0;
  let keys: JWK[] = [];
  let current: { alg: string; kid: string | undefined; privateKey: CryptoKey } | undefined;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch({ url }) {
      if (made.fails !== undefined) return new Response('down', { status: made.fails });
      const { pathname, origin } = new URL(url);
      if (pathname === '/.well-known/openid-configuration')
        return Response.json({ issuer: origin, jwks_uri: `${origin}/keys` });
      fetches += 1;
      return Response.json({ keys });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const made: Issuer = {
    url,
    fetches: () => fetches,
    fails: undefined,
    async rotate(next = alg, { kid = true, keep = false } = {}) {
      const { privateKey, publicKey } = await generateKeyPair(next, { extractable: true });
      const id = kid ? crypto.randomUUID() : undefined;
      const jwk = { ...(await exportJWK(publicKey)), use: 'sig', ...(id ? { kid: id } : {}) };
      keys = keep ? [...keys, jwk] : [jwk];
      current = { alg: next, kid: id, privateKey };
    },
    async token(claims = {}, header = {}) {
      const seconds = Math.floor(nowMs() / 1_000);
      const all = { iss: url, aud: AUDIENCE, sub: 'alice', iat: seconds, exp: seconds + 3_600, ...claims };
      const { alg: used, kid, privateKey } = current!;
      return await new SignJWT(all)
        .setProtectedHeader({ alg: used, ...(kid ? { kid } : {}), ...header })
        .sign(privateKey);
    },
    publicKey: () => keys.at(-1)!,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  await made.rotate(alg);
  return made;
}
