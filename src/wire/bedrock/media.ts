import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { entryOf, isObject, objectOf, stringOf } from '../json.ts';
import { named } from '../words.ts';

const IMAGES = new Set(['png', 'jpeg', 'gif', 'webp']);
const VIDEOS = new Set(['mkv', 'mov', 'mp4', 'webm', 'flv', 'mpeg', 'mpg', 'wmv', 'three_gp']);
/** Formats with another name in media types. */
const FORMATS: Readonly<Record<string, string>> = {
  jpg: 'jpeg',
  quicktime: 'mov',
  'x-matroska': 'mkv',
  'x-flv': 'flv',
  'x-ms-wmv': 'wmv',
  '3gpp': 'three_gp',
  '3gp': 'three_gp',
};
const AUDIO: ReadonlySet<unknown> = new Set([
  'mp3',
  'wav',
  'opus',
  'aac',
  'flac',
  'mp4',
  'ogg',
  'mkv',
  'webm',
  'm4a',
]);

const DOCUMENTS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
};
const EXTENSIONS = new Set(Object.values(DOCUMENTS));

/** The names of a request's documents: valid in Bedrock, derived from the file names, and unique. */
export class DocumentNames {
  readonly #used = new Set<string>();
  readonly #counts = new Map<string, number>();

  of(filename: string | undefined): string {
    const stem = (filename ?? '').replace(/\.[^.]*$/, '');
    const allowed = stem
      .replace(/[^a-zA-Z0-9\s\-()[\]]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 180)
      .trim();
    const base = allowed === '' ? 'document' : allowed;
    let count = this.#counts.get(base) ?? 1;
    let name = base;
    while (this.#used.has(name)) {
      count += 1;
      name = `${base} (${count})`;
    }
    this.#counts.set(base, count);
    this.#used.add(name);
    return name;
  }
}

/**
 * An image, video, file or audio part as a Converse block; `undefined` for other parts.
 * @throws ProxyError `unsupported` for URLs, which Bedrock does not fetch, and for unknown formats
 */
export function mediaBlock(part: ContentPart, names: DocumentNames, at: string): JsonObject | undefined {
  if (part.type === 'image_url') return imageBlock(mediumOf(urlIn(part.image_url), at), at);
  if (part.type === 'video_url') return videoBlock(mediumOf(urlIn(part.video_url), at), at);
  if (part.type === 'input_audio') {
    const { data, format } = objectOf(part.input_audio);
    if (typeof data !== 'string' || !AUDIO.has(format)) {
      throw unsupported(at, `sounds of format ${named(format)} cannot be sent to Bedrock`);
    }
    return { audio: { format, source: { bytes: data } } };
  }
  if (part.type !== 'file') return undefined;
  const { file_data: data, filename } = part.file ?? {};
  if (data === undefined) throw unsupported(at, 'a file that is kept elsewhere cannot be sent to Bedrock');
  const medium = mediumOf(data, at);
  const { type, source } = medium;
  if (type.startsWith('image/')) return imageBlock(medium, at);
  if (type.startsWith('video/')) return videoBlock(medium, at);
  const extension = /\.([a-z0-9]+)$/i.exec(filename ?? '')?.[1]?.toLowerCase() ?? '';
  const format = DOCUMENTS[type] ?? (EXTENSIONS.has(extension) ? extension : undefined);
  if (format === undefined) {
    throw unsupported(at, `files of type ${named(type)} cannot be sent to Bedrock`);
  }
  return { document: { format, name: names.of(stringOf(filename)), source } };
}

interface Medium {
  readonly type: string;
  /** Bedrock's name of the format, by the type. */
  readonly format: string;
  readonly source: JsonObject;
}

function urlIn(value: unknown): unknown {
  return isObject(value) ? value.url : value;
}

function imageBlock({ type, format, source }: Medium, at: string): JsonObject {
  if (IMAGES.has(format)) return { image: { format, source } };
  throw unsupported(at, `images of type ${named(type)} cannot be sent to Bedrock`);
}

function videoBlock({ type, format, source }: Medium, at: string): JsonObject {
  if (VIDEOS.has(format)) return { video: { format, source } };
  throw unsupported(at, `videos of type ${named(type)} cannot be sent to Bedrock`);
}

/** The parts of a data: URI; its data may be many megabytes, so that only its head is matched. */
function mediumOf(url: unknown, at: string): Medium {
  if (typeof url === 'string') {
    const comma = url.slice(0, 500).indexOf(',');
    const head = comma < 0 ? undefined : /^data:([^;,]*)[^,]*;base64$/i.exec(url.slice(0, comma));
    if (head) {
      const type = (head[1] ?? '').toLowerCase();
      return { type, format: formatOf(type.replace(/^.*\//, '')), source: { bytes: url.slice(comma + 1) } };
    }
    // Objects in S3 would be read with the proxy's permissions, which its clients must not use.
    if (/^(?:https?|s3|gs):\/\//i.test(url)) throw unsupported(at, 'Bedrock fetches no URLs');
  }
  throw new ProxyError('invalid_request', `Cannot translate ${at} for Bedrock: expected a base64 data: URI`, {
    param: at,
  });
}

/** Bedrock's name of a format. */
function formatOf(name: string): string {
  return entryOf(FORMATS, name) ?? name;
}

/** Whether there is a document without a text block beside it, which Bedrock rejects. */
export function lacksText(blocks: readonly JsonObject[]): boolean {
  return blocks.some(({ document }) => isObject(document)) && !blocks.some(({ text }) => text !== undefined);
}

function unsupported(param: string, state: string): ProxyError {
  return new ProxyError('unsupported', `Cannot translate ${param}: ${state}`, { param });
}
