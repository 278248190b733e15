/**
 * Identifies a client by its certificate. Bun.serve does not expose client certificates to handlers. The code that
 * accepts TLS connections knows them, and passes them on in a header, sealed with a secret of this process, so that
 * such a header from outside is meaningless.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientCertConfig } from '../../config/schema/socket.ts';
import type { HeaderMap } from '../../wire/headers.ts';

/** The header that contains the result of {@link sealNames}. */
export const CERTIFICATE = 'x-llmproxy-certificate';

/** The identity in a verified certificate. */
export interface CertificateNames {
  /** Attributes of its subject, such as CN, which may occur several times. */
  readonly subject: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Alternative names with their kinds, such as "DNS:ci.example.com". */
  readonly alternative: readonly string[];
}

const SEAL = randomBytes(32).toString('hex');

/** Creates the value of the header {@link CERTIFICATE}. */
export function sealNames(names: CertificateNames): string {
  return SEAL + encodeURIComponent(JSON.stringify(names));
}

/** The identity in a request's certificate; `undefined` if there was none. */
export function namesIn(headers: HeaderMap): CertificateNames | undefined {
  const sealed = headers[CERTIFICATE];
  if (sealed === undefined) return undefined;
  const seal = Buffer.from(sealed.slice(0, SEAL.length));
  if (seal.length !== SEAL.length || !timingSafeEqual(seal, Buffer.from(SEAL))) return undefined;
  return JSON.parse(decodeURIComponent(sealed.slice(SEAL.length))) as CertificateNames;
}

/** The name of the key that a certificate is mapped to: the first rule that matches. */
export function keyFor(names: CertificateNames, rules: readonly ClientCertConfig[]): string | undefined {
  return rules.find(({ subject }) => fits(names, subject))?.key;
}

function fits({ subject, alternative }: CertificateNames, wanted: string): boolean {
  if (/^(?:DNS|URI|email):/.test(wanted)) return alternative.includes(wanted);
  return wanted.split(',').every((attribute) => {
    const [name = '', value = ''] = attribute.trim().split('=');
    return Object.hasOwn(subject, name) && [subject[name]].flat().includes(value.trim());
  });
}

/**
 * Parses alternative names as node:tls returns them, in one text: "DNS:a, URI:b". Names with a comma are quoted there,
 * with the comma escaped, so that none can pretend to be several.
 */
export function alternativeNames(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(', ');
}
