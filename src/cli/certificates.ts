import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TlsConfig } from '../config/schema/socket.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import type { ProgramLog } from './log.ts';
import { stampOf } from '../config/manager.ts';
import { readTls } from '../config/tls-files.ts';

/** The polling interval, milliseconds. Polling finds the swapped files of a mounted Secret, which events miss. */
const LOOK_MS = 1_000;

export interface WatchOptions {
  /** The directory that relative paths start from. */
  readonly folder: string;
  readonly log: ProgramLog;
  /** Takes a certificate into use. */
  readonly certify: (material: TlsMaterial) => void;
}

/**
 * Reloads the files of `server.tls` when one of them changes. Files that are invalid change nothing.
 * @returns a function that stops it
 */
export function watchCertificates(tls: TlsConfig, { folder, log, certify }: WatchOptions): () => void {
  const paths = [tls.cert, tls.key, tls.client_ca].flatMap((path) => path ?? []);
  const state = () => paths.map((path) => stampOf(resolve(folder, path))).join();
  let taken = state();
  let seen = taken;
  const look = (): void => {
    const now = state();
    // Certificate and key are written one after another, so they are read when both have been unchanged for a second.
    const settled = now === seen;
    seen = now;
    if (now === taken || !settled) return;
    taken = now;
    const { material, faults } = readTls(tls, folder, (path) => readFileSync(path, 'utf8'), Date.now());
    for (const { field, message } of faults) log.warn(`server.tls.${field}: ${message}`);
    if (!material)
      return log.warn('The new certificate cannot be used, see above: the previous one stays in effect');
    certify(material);
    const { validToDate } = new X509Certificate(material.cert);
    log.info(`Reloaded the certificate: it is valid until ${validToDate.toISOString()}`);
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
