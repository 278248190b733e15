/** The packages that the binary contains, from package.json, bun.lock and node_modules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  /** By path in node_modules: [name@version, registry, dependencies, integrity]. */
  readonly packages: Readonly<
    Record<string, readonly [string, string, { dependencies?: Record<string, string> }, string]>
  >;
}

/** The manifest of the checkout, or of a package installed in it. */
export function readManifest(root: string, name?: string): Manifest {
  const folder = name === undefined ? root : join(root, 'node_modules', name);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

export function readLock(root: string): Lock {
  return Bun.JSONC.parse(readFileSync(join(root, 'bun.lock'), 'utf8')) as Lock;
}

/** The names of all packages that `direct` leads to, sorted. */
export function closure(lock: Lock, direct: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    needs(lock, name).forEach(visit);
  };
  direct.forEach(visit);
  return [...found].toSorted();
}

/** The names of a package's own dependencies, sorted. */
export function needs(lock: Lock, name: string): string[] {
  return Object.keys(lock.packages[name]?.[2].dependencies ?? {}).toSorted();
}

/** @returns the version, and the SHA-512 of the package's archive in hex @throws Error when bun.lock has no such package */
export function locked(lock: Lock, name: string): { version: string; sha512: string } {
  const entry = lock.packages[name];
  if (!entry) throw new Error(`Cannot list ${name}: bun.lock has no such package`);
  const [spec, , , integrity] = entry;
  const sha512 = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
  return { version: spec.slice(spec.lastIndexOf('@') + 1), sha512 };
}

/** The licence that a package declares: an SPDX name or expression. @throws Error when it declares none */
export function licenseOf({ name, license }: Manifest): string {
  if (!license) throw new Error(`Cannot list ${name}: its package.json names no licence`);
  return license;
}
