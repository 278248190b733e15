/** Finds the texts in requests of all client protocols, and tells them from names, IDs and media. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, stringOf } from '../../wire/json.ts';
import { isOurs } from '../../wire/parts/issued.ts';
import { isRawJSON, numberText } from '../../wire/long-numbers.ts';

/** Changes texts. Each method returns the same string if nothing is to be changed. */
export interface TextChanger {
  /** @param label the name of the field that contains the text */
  text(text: string, label: string): string;
  /** Consecutive parts of a message, which are read as one text. */
  texts(texts: readonly string[]): readonly string[];
  /** The name of a field, if a user or a model chose it. */
  name(name: string): string;
  /** The value of a field, if its name alone says that it is a secret; otherwise `undefined`. */
  secret(name: string, value: string): string | undefined;
  /** A number that a user or a model wrote. @param digits as they are written; any other result becomes a string */
  number(digits: string, label: string): string;
}

/** Thrown if a request, or a part of it, cannot be searched. */
export class Unsearchable extends Error {
  /** @param what its kind and its place, such as "an image in messages[0].content[1]" */
  constructor(what: string) {
    super(what);
    this.name = 'Unsearchable';
  }
}

export interface WalkOptions {
  /** Whether images, recordings and files are accepted, although they cannot be searched. */
  readonly media: 'refuse' | 'pass';
}

/**
 * The fields that grow with a conversation. They are searched last, so that values in other fields keep their numbers.
 */
const GROWING: ReadonlySet<string> = new Set(['messages', 'input', 'contents', 'prompt']);

/** Fields whose values are terms of the protocol. */
const NAMES: ReadonlySet<string> = new Set([
  'id',
  'role',
  'type',
  'object',
  'name',
  'format',
  'media_type',
  'mime_type',
  'mimeType',
]);

/** The form of such a term. Any other value is searched. */
const TERM = /^[\w.:/+=~#|,-]*$/;

/** Fields that are never searched: the name that decides where a request is sent, and signatures. */
const EXEMPT: ReadonlySet<string> = new Set(['model', 'signature', 'thoughtSignature', 'thought_signature']);

/** Fields with IDs, except those of people. */
const ID = /(?:_id|Id|_ids|Ids)$/;
const PERSON = /^user(?:_id|Id)$/;

/** Fields with objects whose structure a user or a model chose, including the names of their fields. */
const FREE: ReadonlySet<string> = new Set([
  'parameters',
  'input_schema',
  'schema',
  'parametersJsonSchema',
  'parameters_json_schema',
  'responseSchema',
  'response_schema',
  'responseJsonSchema',
  'response_json_schema',
  'response',
  'args',
  'arguments',
  'metadata',
  'labels',
  'headers',
  'properties',
]);

/** What parts of a message without text are called in errors, by type. */
const MEDIA: Readonly<Record<string, string>> = {
  image: 'an image',
  image_url: 'an image',
  input_image: 'an image',
  computer_screenshot: 'an image',
  image_generation_call: 'an image',
  audio: 'a recording',
  input_audio: 'a recording',
  video: 'a video',
  input_video: 'a video',
  video_url: 'a video',
  file: 'a file',
  input_file: 'a file',
  container_upload: 'a file',
};

/** The same by the name of the field. */
const MEDIA_FIELDS: Readonly<Record<string, string>> = {
  inlineData: 'a file',
  inline_data: 'a file',
  fileData: 'a file',
  file_data: 'a file',
  images: 'an image',
  image: 'an image',
  mask: 'an image',
  image_url: 'an image',
};

/** Fields of such parts that contain the data or its address. */
const DATA: ReadonlySet<string> = new Set([
  'data',
  'url',
  'uri',
  'image_url',
  'file_data',
  'file_url',
  'fileUri',
  'file_uri',
  'audio_url',
  'video_url',
  'result',
]);

/** Fields that refer to something the provider has stored, with placeholders whose meaning is not known here. */
const STORED: Readonly<Record<string, string>> = {
  previous_response_id: 'a response that the provider has stored',
  conversation: 'a conversation that the provider has stored',
  context: 'the tokens of an earlier answer',
};

/** Types of parts that contain nothing but text. */
const TEXT_TYPES: ReadonlySet<unknown> = new Set([undefined, 'text', 'input_text', 'output_text']);

/** Longer names of fields are searched, characters. */
const LONGEST_NAME = 24;

/**
 * What surrounds a value: fields of the protocol, a part with media, or an object whose structure a user or a model
 * chose.
 */
type Zone = 'protocol' | 'media' | 'free';

/**
 * Changes all texts of a request.
 * @throws Unsearchable if something in it cannot be searched
 */
export function changedRequest(request: JsonObject, changer: TextChanger, options: WalkOptions): JsonObject {
  for (const [name, what] of Object.entries(STORED))
    if (holdsSome(request[name])) throw new Unsearchable(`${what} (${name})`);
  const names = Object.keys(request);
  const changed = new Map<string, unknown>();
  const walk = new Walk(changer, options);
  for (const growing of [false, true])
    for (const name of names)
      if (GROWING.has(name) === growing) changed.set(name, walk.field(request, name, 'protocol', name));
  return Object.fromEntries(
    names.map((name) => [isProtocols(name) ? name : changer.name(name), changed.get(name)]),
  );
}

/** Fields that contain reasoning. */
const REASONING: ReadonlySet<string> = new Set([
  'thinking',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'thinking_blocks',
]);

/** All texts of a request, names of fields included, except reasoning. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('[') ? [value] : [];
  if (Array.isArray(value)) {
    const run = textRun(value, 0);
    // A placeholder may be spread over several parts.
    const whole = run.length > 1 ? run.map(({ text }) => text).join('') : '';
    return [...textsOf(whole), ...value.flatMap(textsOf)];
  }
  if (!isObject(value) || REASONING.has(stringOf(value.type) ?? '') || value.thought === true) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...textsOf(name),
    ...(REASONING.has(name) ? [] : textsOf(inner)),
  ]);
}

class Walk {
  readonly #changer: TextChanger;
  readonly #options: WalkOptions;

  constructor(changer: TextChanger, options: WalkOptions) {
    this.#changer = changer;
    this.#options = options;
  }

  /** Changes the value of a field. @param path its place in the request, for errors */
  field(of: JsonObject, name: string, zone: Zone, path: string): unknown {
    const value = of[name];
    if (zone === 'free') return this.#free(value, name);
    if (typeof value === 'string') return this.#string(value, of, name, zone, path);
    if (typeof value !== 'object' || value === null || isRawJSON(value)) return value;
    const free = FREE.has(name) || (name === 'input' && stringOf(of.type)?.endsWith('tool_use'));
    if (free) return this.#free(value, name);
    const what = Object.hasOwn(MEDIA_FIELDS, name) && holdsSome(value) ? MEDIA_FIELDS[name] : undefined;
    if (what !== undefined) this.#meet(what, path);
    return this.#value(value, name, what === undefined ? zone : 'media', path);
  }

  #string(value: string, of: JsonObject, name: string, zone: Zone, path: string): string {
    if (this.#isExempt(of, name, zone) || (this.#isName(of, name) && TERM.test(value))) return value;
    if (Object.hasOwn(MEDIA_FIELDS, name) && value !== '') {
      this.#meet(MEDIA_FIELDS[name]!, path);
      return value;
    }
    // Log probabilities have a field of this name, with a piece of text.
    return (name === 'token' ? undefined : this.#changer.secret(name, value)) ?? this.#text(value, name);
  }

  #value(value: unknown, name: string, zone: Zone, path: string): unknown {
    if (Array.isArray(value)) return this.#list(value, name, zone, path);
    if (isObject(value) && !isRawJSON(value)) return this.#object(value, zone, path);
    if (typeof value !== 'string') return value;
    return zone === 'media' ? value : this.#text(value, name);
  }

  #list(list: readonly unknown[], name: string, zone: Zone, path: string): unknown[] {
    if ((name === 'input' || name === 'prompt') && holdsNumbers(list))
      throw new Unsearchable(`tokens in place of text in ${path}`);
    const changed: unknown[] = [];
    for (let at = 0; at < list.length;) {
      const run = zone === 'protocol' ? textRun(list, at) : [];
      if (run.length > 1) {
        const texts = this.#changer.texts(run.map(({ text }) => text as string));
        for (const [index, part] of run.entries()) {
          const text = texts[index]!;
          // Of a value that was spread over several parts: providers refuse texts without anything in them.
          if (text === '' && part.text !== '') continue;
          changed.push({ ...this.#object(part, zone, `${path}[${at + index}]`, 'text'), text });
        }
        at += run.length;
        continue;
      }
      changed.push(this.#value(list[at], name, zone, `${path}[${at}]`));
      at += 1;
    }
    return changed;
  }

  /** @param but a field that is not to be changed */
  #object(object: JsonObject, zone: Zone, path: string, but?: string): JsonObject {
    if (isSigned(object)) return object;
    const { type } = object;
    if (type === 'item_reference') throw new Unsearchable(`an item that the provider has stored, in ${path}`);
    const what = typeof type === 'string' && Object.hasOwn(MEDIA, type) ? MEDIA[type] : documentIn(object);
    if (what !== undefined) this.#meet(what, path);
    const inner = what === undefined ? zone : 'media';
    return Object.fromEntries(
      Object.keys(object).map((name) => [
        isProtocols(name) ? name : this.#changer.name(name),
        name === but ? object[name] : this.field(object, name, inner, `${path}.${name}`),
      ]),
    );
  }

  #meet(what: string, path: string): void {
    if (this.#options.media === 'refuse') throw new Unsearchable(`${what} in ${path}`);
  }

  #isExempt(of: JsonObject, name: string, zone: Zone): boolean {
    if (EXEMPT.has(name) || name.startsWith('encrypted_')) return true;
    if (zone === 'media' && DATA.has(name)) return true;
    // The whole block is encrypted.
    return name === 'data' && (of.type === 'redacted_thinking' || of.type === 'reasoning.encrypted');
  }

  #isName(of: JsonObject, name: string): boolean {
    // Next to a role, it is the name of a person.
    if (name === 'name') return of.role === undefined;
    return NAMES.has(name) || (ID.test(name) && !PERSON.test(name));
  }

  #text(text: string, name: string): string {
    return this.#changer.text(text, name);
  }

  /** Changes a value whose structure a user or a model chose. */
  #free(value: unknown, name: string): unknown {
    if (typeof value === 'string') return this.#text(value, name);
    if (Array.isArray(value)) return value.map((item) => this.#free(item, name));
    const digits = numberText(value);
    if (digits !== undefined) {
      const changed = this.#changer.number(digits, name);
      return changed === digits ? value : changed;
    }
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        this.#changer.name(key),
        (typeof inner === 'string' ? this.#changer.secret(key, inner) : undefined) ?? this.#free(inner, key),
      ]),
    );
  }
}

/**
 * Whether a block is reasoning that a provider signed or encrypted. It must be returned unchanged, or the signature
 * becomes invalid. Its placeholders were never restored, so it contains only what the provider wrote itself.
 */
function isSigned({ type, signature, data, encrypted_content: encrypted }: JsonObject): boolean {
  if (type === 'redacted_thinking') return typeof data === 'string';
  if (type === 'reasoning') return isSeal(encrypted);
  return (type === 'thinking' || type === 'reasoning.text') && isSeal(signature);
}

function isSeal(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !isOurs(value);
}

/** Whether the name of a field has the form of those that protocols have. Any other may contain something. */
function isProtocols(name: string): boolean {
  return name.length <= LONGEST_NAME && /^[A-Za-z_$][\w$]*$/.test(name);
}

/** What a document is called in errors; `undefined` for one that is text, and for anything else. */
function documentIn({ type, source }: JsonObject): string | undefined {
  if (type !== 'document' || !isObject(source)) return undefined;
  return source.type === 'text' || source.type === 'content' ? undefined : 'a document';
}

/** The consecutive text parts of a list, from a place on. */
function textRun(list: readonly unknown[], from: number): JsonObject[] {
  const run: JsonObject[] = [];
  for (let at = from; at < list.length; at += 1) {
    const part = list[at];
    const isText =
      isObject(part) && typeof part.text === 'string' && TEXT_TYPES.has(part.type) && part.thought !== true;
    if (!isText) break;
    run.push(part);
  }
  return run;
}

function holdsNumbers(list: readonly unknown[]): boolean {
  return list.some((item) => typeof item === 'number' || (Array.isArray(item) && holdsNumbers(item)));
}

function holdsSome(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return Array.isArray(value) ? value.length > 0 : true;
}
