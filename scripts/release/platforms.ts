/** A platform that binaries are built for. */
export interface Platform {
  /** The name in Bun's targets and in the names of released files. */
  readonly name: string;
  /** The names that npm uses in `os` and `cpu` of package.json. */
  readonly os: 'linux' | 'darwin' | 'win32';
  readonly cpu: 'x64' | 'arm64';
  readonly libc?: 'glibc' | 'musl';
}

export const PLATFORMS: readonly Platform[] = [
  { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { name: 'windows-x64', os: 'win32', cpu: 'x64' },
];

/** The name of the released binary for a platform. */
export function binaryName(version: string, { name, os }: Platform): string {
  return `llmproxy-${version}-${name}${os === 'win32' ? '.exe' : ''}`;
}
