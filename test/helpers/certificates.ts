/** Certificates for tests, made with the openssl of this machine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether openssl is installed. */
export const canMake = Bun.which('openssl') !== null;

export interface Pair {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** A certificate authority. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'llmproxy-ca-'));
  #made = 0;
  /** PEM. */
  readonly cert: string;

  constructor(name = 'test authority') {
    const files = ['-keyout', 'ca.key', '-out', 'ca.pem'];
    this.#openssl('req', '-x509', ...KEY, ...files, '-days', '30', '-subj', `/CN=${name}`);
    this.cert = readFileSync(join(this.#folder, 'ca.pem'), 'utf8');
  }

  /**
   * Issues a certificate.
   * @param subject such as "/CN=ci/O=acme"
   * @param names alternative names, such as "DNS:localhost,IP:127.0.0.1"
   * @param days how long it is valid from now; -1 for one that has expired
   */
  issue(subject: string, names: string, days = 10): Pair {
    this.#made += 1;
    const at = (end: string) => `${this.#made}.${end}`;
    writeFileSync(join(this.#folder, at('ext')), `subjectAltName=${names}\n`);
    this.#openssl('req', ...KEY, '-keyout', at('key'), '-out', at('csr'), '-subj', subject);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', at('ext')];
    this.#openssl('x509', '-req', '-in', at('csr'), '-out', at('pem'), '-days', String(days), ...signed);
    const text = (end: string) => readFileSync(join(this.#folder, at(end)), 'utf8');
    return { cert: text('pem'), key: text('key') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(...args: string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(['openssl', ...args], { cwd: this.#folder });
    if (exitCode !== 0) throw new Error(stderr.toString());
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export const SERVER_NAMES = 'DNS:localhost,IP:127.0.0.1';
