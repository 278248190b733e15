/** The names of uploaded objects. */
import type { LogName } from '../names.ts';

/** Splits "s3://bucket/a/b/" into bucket and prefix, without a trailing slash. */
export function placeOf(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/*(.*?)\/*$/.exec(url) ?? [];
  return { bucket, prefix };
}

/**
 * The key of a file's object. It contains machine and file name, and an identity that distinguishes files for which
 * both are equal: from machines with the same name, or after a day's files were deleted and begun again. A file always
 * gets the same key.
 */
export function objectKey(
  { name, day }: LogName,
  { prefix, host, identity }: { readonly prefix: string; readonly host: string; readonly identity: string },
): string {
  const [, stem = name, ending = ''] = /^(.*)(\.ndjson(?:\.zst)?)$/.exec(name) ?? [];
  const folder = `${prefix === '' ? '' : `${prefix}/`}date=${day}`;
  return `${folder}/${host}-${stem}-${identity}${ending}`;
}

/** A host name in the form that is allowed in keys. */
export function plainHost(host: string): string {
  return (
    host
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 100) || 'host'
  );
}
