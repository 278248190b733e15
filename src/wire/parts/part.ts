/**
 * The canonical form of a model's output: an ordered list of parts. OpenAI's chat has one field for each kind of part
 * (`content`, `reasoning_content`, `tool_calls`), so that `[think, call, think, text, call]` would be sent back in
 * another order, which models that sign their reasoning reject. Everything that a provider sends, streamed or whole,
 * and everything that a client sends back of it, is decoded to parts and encoded from them.
 *
 * A message (`chat.ts`) has chat's own fields and, where these alone would lose something, `parts`: `partsOf` reads
 * either, `messageOf` writes both. A stream has the same content piece by piece, one part per chunk:
 *
 * | delta | effect |
 * | --- | --- |
 * | `reasoning_content` | continues the current thinking, or begins one |
 * | `thinking_blocks` | seals the current thinking with what must be sent back, or adds a sealed one |
 * | `content`, `annotations`, `extra_content` | continue the current text, and add its sources |
 * | `refusal` | continues a refusal |
 * | `tool_calls` | continue the call with that index, which is placed where its first piece arrived |
 * | `audio` | continues the current audio: its data and its transcript |
 * | `parts` | adds whole parts: images, files, hosted tools and their results |
 *
 * Log probabilities accompany the text that they refer to: `logprobs` of the chunk, or of the choice.
 *
 * Content that a client's protocol cannot express is counted in `Lost` under the names below. Nothing else is left out.
 */
import type { ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';

export type Part =
  | TextPart
  | RefusalPart
  | ThinkingPart
  | CallPart
  | HostedCallPart
  | HostedResultPart
  | ImagePart
  | AudioPart
  | FilePart;

export interface TextPart {
  readonly type: 'text';
  text: string;
  /** The sources; their positions refer to the whole text of the message. */
  annotations?: Annotation[];
  /** A cache mark for the prompt up to here. */
  cache_control?: unknown;
  /** A field that Google requires back. */
  extra_content?: unknown;
}

export interface RefusalPart {
  readonly type: 'refusal';
  text: string;
}

/** Reasoning. */
export interface ThinkingPart {
  readonly type: 'thinking';
  /** The visible part. */
  text: string;
  /** What must be sent back to its issuer, and to nobody else. */
  seal?: Seal;
}

/**
 * What a provider requires back with reasoning, in its own format: signed blocks of Anthropic and Bedrock, an encrypted
 * item of the Responses API, and the details of chat gateways such as OpenRouter.
 */
export type Seal = JsonObject & { type: 'thinking' | 'redacted_thinking' | 'encrypted' | 'details' };

/** A call of a function that the client defined. Its arguments are the text as received, digit for digit. */
export interface CallPart {
  readonly type: 'call';
  readonly call: ToolCall;
}

/** A call of a tool that the provider ran itself. */
export interface HostedCallPart {
  readonly type: 'hosted_call';
  readonly id: string;
  /** In Anthropic's terms: `web_search`, `code_execution`, `web_fetch`. */
  readonly name: string;
  /** Its input, as JSON text of an object. */
  readonly input: string;
  /** The original block or item. */
  readonly native?: Native;
}

/** The result of such a tool. */
export interface HostedResultPart {
  readonly type: 'hosted_result';
  /** The id of its call. */
  readonly id: string;
  readonly name: string;
  /** Pages that were found. */
  readonly sources: readonly Source[];
  /** Its output, if it is not a search. */
  readonly output?: string;
  readonly native?: Native;
}

/** The source for other protocols' formats, sent back unchanged to a server with the same protocol. */
export interface Native {
  readonly protocol: 'messages' | 'responses';
  readonly value: JsonObject;
}

export interface Source {
  readonly url: string;
  readonly title: string;
}

export interface ImagePart {
  readonly type: 'image';
  /** A data: URI, or its URL. */
  readonly url: string;
  /** The prompt as the model revised it. */
  readonly prompt?: string;
  /** A field that Google requires back. */
  readonly extra_content?: unknown;
}

/** Audio, in chat's own format. */
export interface AudioPart {
  readonly type: 'audio';
  id?: string;
  /** In base64. */
  data: string;
  /** The transcript. */
  transcript: string;
  expires_at?: unknown;
}

/** A file that the provider created: its location, or its data. */
export interface FilePart {
  readonly type: 'file';
  readonly id?: string;
  /** A data: URI. */
  readonly url?: string;
}

/** The source of a text: a page, or a document that the model was given. */
export type Annotation = PageAnnotation | DocumentAnnotation;

/** Chat's own kind. If both positions are equal, it refers to no particular words. */
export interface PageAnnotation {
  readonly type: 'url_citation';
  readonly url_citation: {
    readonly url: string;
    readonly title: string;
    /** In characters. */
    readonly start_index: number;
    readonly end_index: number;
    /** The quoted words of the page. */
    readonly cited_text?: string;
  };
  /** The original citation. */
  readonly native?: Native;
}

export interface DocumentAnnotation {
  readonly type: 'document_citation';
  /** The index of the document in the request, from 0. */
  readonly document: number;
  readonly title: string | null;
  readonly cited_text: string;
  /** In characters of the answer. */
  readonly start_index: number;
  readonly end_index: number;
  readonly native?: Native;
}
