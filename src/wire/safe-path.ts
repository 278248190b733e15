/** Client-chosen paths below a base URL: they must not lead out of it, however they are encoded. */

/** The longest path that is passed on, characters. */
const MAX_PATH = 2_048;

/** How many times chained servers may decode a path. */
const DECODINGS = 3;

/**
 * The segments of a path as received, still encoded.
 * @param path the part after the provider's name, beginning with a slash
 * @returns `undefined` for a path that some server may resolve differently: `.` and `..`, a slash or a backslash within
 * a segment, two consecutive slashes, with any number of encodings
 */
export function safeSegments(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.length > MAX_PATH) return undefined;
  const segments = path.slice(1).split('/');
  // A trailing slash is not a segment.
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
  // A name that is encoded even more often is an attack.
  return false;
}

function isPlain(segment: string): boolean {
  // Some servers cut a segment at a semicolon and evaluate only the part before it.
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

/** Path segments that name resources of an API rather than ids: `files`, `fine_tuning`, `v1beta`. */
const WORD = /^(?:v\d+(?:(?:alpha|beta)\d*)?|[a-z][a-z_]{0,31})$/;

/** A path with ids replaced, as records have it: "/files/{id}/content". */
export function pathTemplate(segments: readonly string[]): string {
  return segments.map((segment) => `/${WORD.test(segment) ? segment : '{id}'}`).join('');
}
