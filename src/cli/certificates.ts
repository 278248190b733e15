import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TlsConfig } from '../config/socket-schema.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import type { ProgramLog } from './log.ts';
import { stampOf } from '../config/manager.ts';
import { readTls } from '../config/tls-files.ts';

/** How often the files are looked at, milliseconds. Looking finds what a mounted Secret swaps, which events miss. */
const LOOK_MS = 1_000;

export interface WatchOptions {
  /** That paths are relative to. */
  readonly folder: string;
  readonly log: ProgramLog;
  /** Takes a certificate into use. */
  readonly certify: (material: TlsMaterial) => void;
}

/**
 * Reads the files of `server.tls` again when one of them changes. What cannot be served with changes nothing.
 * @returns how to stop
 */
export function watchCertificates(tls: TlsConfig, { folder, log, certify }: WatchOptions): () => void {
  const paths = [tls.cert, tls.key, tls.client_ca].flatMap((path) => path ?? []);
  const state = () => paths.map((path) => stampOf(resolve(folder, path))).join();
  let taken = state();
  let seen = taken;
  const look = (): void => {
    const now = state();
    // Certificate and key are written one after the other: they count when both have been the same for a second.
    const settled = now === seen;
    seen = now;
    if (now === taken || !settled) return;
    taken = now;
    const { material, faults } = readTls(tls, folder, (path) => readFileSync(path, 'utf8'), Date.now());
    for (const { field, message } of faults) log.warn(`server.tls.${field}: ${message}`);
    if (!material)
      return log.warn('The new certificate cannot be used, see above: the last one stays in force');
    certify(material);
    const { validToDate } = new X509Certificate(material.cert);
    log.info(`The certificate is read again: it holds until ${validToDate.toISOString()}`);
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
