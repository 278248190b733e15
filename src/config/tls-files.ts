import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { TlsConfig } from './schema/socket.ts';

/** The PEM texts for a TLS server. */
export interface TlsMaterial {
  /** The certificate, followed by intermediate ones. */
  readonly cert: string;
  readonly key: string;
  /** Certificate authorities for client certificates; `undefined` if none are requested. */
  readonly clientCa: string | undefined;
}

/** A problem with one of the files. */
export interface TlsFault {
  readonly field: 'cert' | 'key' | 'client_ca';
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export interface TlsFiles {
  /** Omitted if there are errors. */
  readonly material: TlsMaterial | undefined;
  readonly faults: readonly TlsFault[];
}

/** Returns the text of a file. @throws as the file system does */
export type ReadPem = (path: string) => string;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads the files of `server.tls` and checks that they match.
 * @param folder the directory that relative paths start from
 * @param nowMs milliseconds since 1970
 */
export function readTls(tls: TlsConfig, folder: string, read: ReadPem, nowMs: number): TlsFiles {
  const faults: TlsFault[] = [];
  const fault = (field: TlsFault['field'], message: string, severity: TlsFault['severity'] = 'error') =>
    void faults.push({ field, severity, message });
  const textOf = (field: TlsFault['field']): string | undefined => {
    const path = resolve(folder, tls[field]!);
    try {
      return read(path);
    } catch (cause) {
      fault(field, `Cannot read ${path}: ${READING[(cause as { code?: string }).code!] ?? String(cause)}`);
      return undefined;
    }
  };
  const cert = textOf('cert');
  const key = textOf('key');
  const clientCa = tls.client_ca === undefined ? undefined : textOf('client_ca');
  const leaf = cert === undefined ? undefined : leafOf(cert, (message) => fault('cert', message));
  if (clientCa !== undefined) leafOf(clientCa, (message) => fault('client_ca', message));
  if (leaf) {
    const span = spanFault(leaf, nowMs);
    if (span !== undefined) fault('cert', span, 'warning');
  }
  if (key !== undefined) {
    const wrong = keyFault(key, leaf, tls);
    if (wrong !== undefined) fault('key', wrong);
  }
  const bad = faults.some(({ severity }) => severity === 'error');
  return { material: bad ? undefined : { cert: cert!, key: key!, clientCa }, faults };
}

const READING: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** The first certificate in a PEM file, all of which must be valid. */
function leafOf(pem: string, fault: (message: string) => void): X509Certificate | undefined {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    fault('the file contains no certificate: expected PEM, "-----BEGIN CERTIFICATE-----"');
    return undefined;
  }
  try {
    return blocks.map((block) => new X509Certificate(block))[0];
  } catch {
    fault('the file holds a certificate that cannot be read');
    return undefined;
  }
}

function spanFault({ validFromDate, validToDate }: X509Certificate, nowMs: number): string | undefined {
  if (nowMs >= validToDate.getTime())
    return `the certificate expired on ${validToDate.toISOString()}: clients will refuse it`;
  if (nowMs < validFromDate.getTime())
    return `the certificate is valid from ${validFromDate.toISOString()} on: clients will refuse it until then`;
  return undefined;
}

function keyFault(pem: string, leaf: X509Certificate | undefined, tls: TlsConfig): string | undefined {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: .*ENCRYPTED/m.test(pem))
    return 'the private key is encrypted: give it without a passphrase, readable by its owner only';
  try {
    const key = createPrivateKey(pem);
    return leaf && !leaf.checkPrivateKey(key) ? `the private key does not belong to ${tls.cert}` : undefined;
  } catch {
    return 'the file contains no private key: expected PEM, "-----BEGIN PRIVATE KEY-----"';
  }
}
