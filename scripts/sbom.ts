/** The software bill of materials of the binary, as CycloneDX 1.6. @see https://cyclonedx.org/docs/1.6/json */
import { createHash } from 'node:crypto';
import type { Lock, Manifest } from './packages.ts';
import { closure, licenseOf, locked, needs, readLock, readManifest } from './packages.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly [field: string]: unknown;
}

/**
 * Lists the packages that `dependencies` lead to, and Bun with its builds for the released platforms.
 * The same tree always gives the same bytes: it contains no time and nothing random.
 * @param root the checkout, with its packages installed
 * @throws Error when a package is not installed or not in bun.lock
 */
export function sbom(root: string): object {
  const project = readManifest(root);
  const lock = readLock(root);
  const direct = Object.keys(project.dependencies ?? {});
  const names = closure(lock, direct);
  const ref = (name: string) => purl(name, locked(lock, name).version);
  const self = purl(project.name, project.version);
  const components = names.map((name) => library(root, lock, name));
  const platforms = Object.keys(lock.packages)
    .filter((name) => /^@oven\/bun-(linux|darwin|windows)-(x64|aarch64)(-musl)?$/.test(name))
    .toSorted();
  const bun = [platform(lock, 'bun'), ...platforms.map((name) => platform(lock, name))];
  const document = {
    metadata: {
      component: {
        type: 'application',
        'bom-ref': self,
        name: project.name,
        version: project.version,
        licenses: licenses(project),
      },
    },
    components: [...components, ...bun],
    dependencies: [
      { ref: self, dependsOn: [...direct.toSorted().map(ref), ref('bun')] },
      ...names.map((name) => ({ ref: ref(name), dependsOn: needs(lock, name).map(ref) })),
      { ref: ref('bun'), dependsOn: platforms.map(ref) },
    ],
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(document))}`,
    version: 1,
    ...document,
  };
}

function library(root: string, lock: Lock, name: string): Component {
  return component('library', lock, name, licenses(readManifest(root, name)));
}

/**
 * Bun is not bundled; it is the program that the bundle is put into. Its builds for other platforms are not installed.
 */
function platform(lock: Lock, name: string): Component {
  return component('platform', lock, name, [{ license: { id: 'MIT' } }]);
}

function component(type: string, lock: Lock, name: string, licences: object[]): Component {
  const { version, sha512 } = locked(lock, name);
  const id = purl(name, version);
  const hashes = [{ alg: 'SHA-512', content: sha512 }];
  return { type, 'bom-ref': id, name, version, hashes, licenses: licences, purl: id };
}

/** One SPDX name, or an expression of several. */
function licenses(manifest: Manifest): object[] {
  const license = licenseOf(manifest);
  return /[ (]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** A UUID derived from a text, the same for the same text (version 8, whose format is up to the implementation). */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
