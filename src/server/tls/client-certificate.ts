/**
 * Who a client is by its certificate. Bun.serve shows no certificate to who answers a request. What accepts TLS
 * connections knows it, and says it in a header, sealed with a secret of this process: whoever sends such a header from
 * outside says nothing by it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientCertConfig } from '../../config/socket-schema.ts';
import type { HeaderMap } from '../../wire/headers.ts';

/** The header that holds what {@link sealNames} gives. */
export const CERTIFICATE = 'x-llmproxy-certificate';

/** What a certificate that was verified says of its owner. */
export interface CertificateNames {
  /** Attributes of its subject, such as CN; one may stand there several times. */
  readonly subject: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Alternative names with their kinds, such as "DNS:ci.example.com". */
  readonly alternative: readonly string[];
}

const SEAL = randomBytes(32).toString('hex');

/** Makes the value of the header {@link CERTIFICATE}. */
export function sealNames(names: CertificateNames): string {
  return SEAL + encodeURIComponent(JSON.stringify(names));
}

/** What the certificate of a request says; `undefined` where it came with none. */
export function namesIn(headers: HeaderMap): CertificateNames | undefined {
  const sealed = headers[CERTIFICATE];
  if (sealed === undefined) return undefined;
  const seal = Buffer.from(sealed.slice(0, SEAL.length));
  if (seal.length !== SEAL.length || !timingSafeEqual(seal, Buffer.from(SEAL))) return undefined;
  return JSON.parse(decodeURIComponent(sealed.slice(SEAL.length))) as CertificateNames;
}

/** The name of the key that a certificate stands for: the first rule that fits. */
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
 * Alternative names as node:tls gives them, in one text: "DNS:a, URI:b". Names in which there is a comma are quoted there,
 * with the comma escaped, so that none can pretend to be several.
 */
export function alternativeNames(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(', ');
}
