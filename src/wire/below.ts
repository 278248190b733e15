/** Paths below a base URL that clients choose: they must not lead out of it, however they are spelled. */

/** Longest path that is passed on, characters. */
const MAX_PATH = 2_048;

/** How often a server in front of another one may decode a path. */
const DECODINGS = 3;

/**
 * The segments of a path as they came, still encoded.
 * @param path behind the part that chose the provider, beginning with a slash
 * @returns `undefined` for a path that some server may take to lead elsewhere: `.` and `..`, a slash or a backslash within a segment,
 * two slashes in a row, however often they are encoded
 */
export function segmentsBelow(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.length > MAX_PATH) return undefined;
  const segments = path.slice(1).split('/');
  // A slash at the end is no segment.
  if (segments.length > 1 && segments.at(-1) === '') segments.pop();
  return segments.every(isSafe) ? segments : undefined;
}

function isSafe(segment: string): boolean {
  let text = segment;
  for (let round = 0; round <= DECODINGS; round += 1) {
    if (!isPlain(text)) return false;
    const decoded = decode(text);
    if (decoded === undefined) return false;
    if (decoded === text) return true;
    text = decoded;
  }
  // Whoever encodes a name so often means something else by it.
  return false;
}

function isPlain(segment: string): boolean {
  // Some servers cut a segment at a semicolon, and look at what is before it.
  const name = segment.split(';')[0]!.trim();
  return name !== '' && name !== '.' && name !== '..' && !/[/\\?#]|\p{Cc}/u.test(segment);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Words of a path that are names of things in an API, and no ids: `files`, `fine_tuning`, `v1beta`. */
const WORD = /^(?:v\d+(?:(?:alpha|beta)\d*)?|[a-z][a-z_]{0,31})$/;

/** A path without the ids of things, as records have it: "/files/{id}/content". */
export function pathTemplate(segments: readonly string[]): string {
  return segments.map((segment) => `/${WORD.test(segment) ? segment : '{id}'}`).join('');
}
