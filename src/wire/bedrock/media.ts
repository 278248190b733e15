import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { named } from '../words.ts';

const IMAGES = new Set(['png', 'jpeg', 'gif', 'webp']);
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
 * An image, file or audio part as a Converse block; `undefined` for other parts.
 * @throws ProxyError `unsupported` for URLs, which Bedrock does not fetch, and for unknown formats
 */
export function mediaBlock(part: ContentPart, names: DocumentNames, at: string): JsonObject | undefined {
  if (part.type === 'image_url') {
    const url = typeof part.image_url === 'string' ? part.image_url : part.image_url?.url;
    return imageBlock(dataOf(url, at), at);
  }
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
  const source = dataOf(data, at);
  if (source.media.startsWith('image/')) return imageBlock(source, at);
  const extension = /\.([a-z0-9]+)$/i.exec(filename ?? '')?.[1]?.toLowerCase() ?? '';
  const format = DOCUMENTS[source.media] ?? (EXTENSIONS.has(extension) ? extension : undefined);
  if (format === undefined)
    throw unsupported(at, `files of type ${named(source.media)} cannot be sent to Bedrock`);
  return { document: { format, name: names.of(stringOf(filename)), source: { bytes: source.bytes } } };
}

interface Data {
  readonly media: string;
  /** In base64. */
  readonly bytes: string;
}

function imageBlock({ media, bytes }: Data, at: string): JsonObject {
  const format = media.replace('image/', '').replace(/^jpg$/, 'jpeg');
  if (!IMAGES.has(format)) throw unsupported(at, `images of type ${named(media)} cannot be sent to Bedrock`);
  return { image: { format, source: { bytes } } };
}

/** The parts of a data: URI; its data may be many megabytes, so that only its head is matched. */
function dataOf(url: unknown, at: string): Data {
  if (typeof url === 'string') {
    const comma = url.slice(0, 500).indexOf(',');
    const head = comma < 0 ? undefined : /^data:([^;,]*)[^,]*;base64$/i.exec(url.slice(0, comma));
    if (head) return { media: (head[1] ?? '').toLowerCase(), bytes: url.slice(comma + 1) };
    if (/^(?:https?|s3|gs):\/\//i.test(url)) throw unsupported(at, 'Bedrock fetches no URLs');
  }
  throw new ProxyError('invalid_request', `Cannot translate ${at} for Bedrock: expected a base64 data: URI`, {
    param: at,
  });
}

/** Whether there is a document without a text block beside it, which Bedrock rejects. */
export function lacksText(blocks: readonly JsonObject[]): boolean {
  return blocks.some(({ document }) => isObject(document)) && !blocks.some(({ text }) => text !== undefined);
}

function unsupported(param: string, state: string): ProxyError {
  return new ProxyError('unsupported', `Cannot translate ${param}: ${state}`, { param });
}
