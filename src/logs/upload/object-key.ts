/** What uploaded files are called. */
import type { LogName } from '../names.ts';

/** "s3://bucket/a/b/" as bucket and prefix without a slash at its end. */
export function placeOf(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/*(.*?)\/*$/.exec(url) ?? [];
  return { bucket, prefix };
}

/**
 * The key of a file's object. It tells machine and file, and by the identity those apart that have both in common: of machines
 * with one name, or of a day's files that were deleted and begun again. The same file has the same key whenever it is uploaded.
 */
export function objectKey(
  { name, day }: LogName,
  { prefix, host, identity }: { readonly prefix: string; readonly host: string; readonly identity: string },
): string {
  const [, stem = name, ending = ''] = /^(.*)(\.ndjson(?:\.zst)?)$/.exec(name) ?? [];
  const folder = `${prefix === '' ? '' : `${prefix}/`}date=${day}`;
  return `${folder}/${host}-${stem}-${identity}${ending}`;
}

/** A host name as keys may have it. */
export function plainHost(host: string): string {
  return (
    host
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 100) || 'host'
  );
}
