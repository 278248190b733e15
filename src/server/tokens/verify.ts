import type { JWTPayload, JWTVerifyOptions } from 'jose';
import type { IssuerConfig } from '../../config/schema/auth.ts';
import { RECOGNIZED, Refused } from '../refused.ts';
import type { IssuerKeys, KeySet } from './issuer-keys.ts';

/** Algorithms with a private key. With a shared secret, a public key could be misused as the secret. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The claims of a verified token. */
export type Claims = JWTPayload & { readonly exp: number };

/**
 * Verifies a token: signature, issuer, audience and times.
 * @throws ProxyError `unauthenticated`, or `unavailable` while the issuer's keys cannot be fetched
 */
export async function verifyToken(
  token: string,
  { issuer, audience, clock_skew: skewMs }: IssuerConfig,
  keys: IssuerKeys,
  nowMs: number,
): Promise<Claims> {
  const { errors } = await import('jose');
  const options: JWTVerifyOptions = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: skewMs / 1_000,
    currentDate: new Date(nowMs),
    requiredClaims: ['exp'],
  };
  const set = await keys.current();
  try {
    return await verifyBy(set, token, options);
  } catch (cause) {
    // The issuer may use a newer key than those that were fetched.
    const newer = cause instanceof errors.JWKSNoMatchingKey ? await keys.newerThan(set) : undefined;
    if (!newer) throw await refused(cause);
    return verifyBy(newer, token, options).catch(async (again: unknown) => {
      throw await refused(again);
    });
  }
}

async function verifyBy(set: KeySet, token: string, options: JWTVerifyOptions): Promise<Claims> {
  const { errors, jwtVerify } = await import('jose');
  try {
    return (await jwtVerify(token, set, options)).payload as Claims;
  } catch (cause) {
    if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) throw cause;
    // It does not say which of the keys signed it.
    for await (const key of cause) {
      try {
        return (await jwtVerify(token, key, options)).payload as Claims;
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** What is wrong with a token, without quoting any of it. */
async function refused(cause: unknown): Promise<Refused> {
  const { errors } = await import('jose');
  const { signature, issuer, form } = RECOGNIZED;
  const why = (): readonly [number, string] => {
    if (cause instanceof errors.JWTExpired) return [RECOGNIZED.meant, 'it has expired'];
    if (cause instanceof errors.JWTClaimValidationFailed)
      return cause.claim === 'nbf'
        ? [RECOGNIZED.meant, 'it is not valid yet']
        : [signature, `its "${cause.claim}" is not the expected one`];
    if (cause instanceof errors.JWSSignatureVerificationFailed) return [issuer, 'its signature is invalid'];
    if (cause instanceof errors.JOSEAlgNotAllowed || cause instanceof errors.JOSENotSupported)
      return [issuer, 'its algorithm is not accepted here'];
    if (cause instanceof errors.JWKSNoMatchingKey) return [issuer, 'no key of its issuer matches it'];
    return [form, 'it is not a valid JWT'];
  };
  const [recognized, reason] = why();
  return new Refused(recognized, `Cannot accept the token: ${reason}`);
}
