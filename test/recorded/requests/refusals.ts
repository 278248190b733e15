/** The only reasons for which the proxy may refuse a request that its own provider answered. */
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import { isObject } from '../read/json.ts';

export interface Refusal {
  readonly name: string;
  readonly targets: readonly Api[];
  /** Whether it applies to this request. */
  readonly when: (request: Json) => boolean;
  /** The message to the client. */
  readonly words: RegExp;
}

const ALL: readonly Api[] = ['chat', 'messages', 'responses', 'gemini', 'converse', 'cohere'];

/** Whether an object anywhere in the request satisfies the condition. */
function somewhere(value: unknown, has: (object: Json) => boolean): boolean {
  if (Array.isArray(value)) return value.some((each) => somewhere(each, has));
  if (!isObject(value)) return false;
  return has(value) || Object.values(value).some((each) => somewhere(each, has));
}

const holds =
  (name: string) =>
  (request: Json): boolean =>
    somewhere(request, (object) => object[name] !== undefined && object[name] !== null);

const isOf =
  (...types: readonly string[]) =>
  (request: Json): boolean =>
    somewhere(request, ({ type }) => types.includes(String(type)));

function hasAddress(request: Json): boolean {
  return somewhere(request, (object) =>
    ['url', 'image_url', 'file_url', 'document_url', 'file_data', 'fileUri', 'file_uri'].some((name) =>
      /^https?:/.test(String(object[name])),
    ),
  );
}

/** Inline data, or a reference to it, in a Gemini client's request. */
const isMedium =
  (type: RegExp, holds: (object: Json) => boolean = () => true) =>
  (request: Json): boolean =>
    somewhere(request, (object) => type.test(String(object.mimeType ?? object.mime_type)) && holds(object));

const isAddress = (object: Json): boolean => typeof (object.fileUri ?? object.file_uri) === 'string';

/** Addresses that only Google can read. */
const GOOGLES = /^gs:|generativelanguage\.googleapis\.com|youtube\.com|youtu\.be/;

/** The owner of a file by its address or id, and the owner's APIs. */
const OWNERS: readonly (readonly [RegExp, readonly Api[]])[] = [
  [GOOGLES, ['gemini']],
  [/^file_01\w{20}/, ['messages']],
  [/^file-\w{20}/, ['chat', 'responses']],
];

/** Whether only another vendor has the file. */
export function isForeign(file: string, target: Api): boolean {
  const start = file.slice(0, 200);
  return OWNERS.some(([match, owners]) => match.test(start) && !owners.includes(target));
}

export const REFUSALS: readonly Refusal[] = [
  {
    name: 'only Gemini reads files at Google',
    targets: ALL.filter((target) => target !== 'gemini'),
    when: (request) =>
      somewhere(request, ({ fileUri, file_uri: other, uri }) =>
        GOOGLES.test(String(fileUri ?? other ?? uri).slice(0, 200)),
      ),
    words: /only Gemini can read/,
  },
  {
    name: 'only Google knows its cached content',
    targets: ALL,
    when: (request) => (request.cachedContent ?? request.cached_content) !== undefined,
    words: /cachedContent/,
  },
  {
    name: 'Messages, Responses, Bedrock and Cohere accept no video',
    targets: ['messages', 'responses', 'converse', 'cohere'],
    when: isMedium(/^video\//),
    words: /video_url/,
  },
  {
    name: 'audio is only accepted as data',
    targets: ['messages', 'responses', 'converse', 'cohere'],
    when: isMedium(/^audio\//, isAddress),
    words: /audio_url/,
  },
  {
    name: 'a file at one vendor cannot be sent to another',
    targets: ALL,
    when: holds('file_id'),
    words: /cannot be translated|file/,
  },
  {
    name: 'Bedrock fetches no URLs',
    targets: ['converse'],
    when: hasAddress,
    words: /fetches no URLs|cannot be sent to Bedrock/,
  },
  {
    name: 'Cohere accepts no files and no audio',
    targets: ['cohere'],
    when: (request) =>
      isOf('file', 'document', 'input_file', 'document_url', 'file_url', 'input_audio')(request) ||
      isMedium(/^(?!image\/|undefined)/)(request),
    words: /cannot be sent to Cohere|cannot be translated/,
  },
  {
    name: 'only the vendor knows what it has stored',
    targets: ALL,
    when: (request) =>
      ['previous_response_id', 'conversation', 'prompt'].some((name) => Boolean(request[name])),
    words: /[Pp]revious.response|conversation|prompt/,
  },
];

/** The rule that allows a refusal; `undefined` if there is none. */
export function allowed(request: Json, target: Api, told: string): Refusal | undefined {
  return REFUSALS.find(
    ({ targets, when, words }) => targets.includes(target) && words.test(told) && when(request),
  );
}
