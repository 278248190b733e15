/**
 * The canonical form of what a model says: an ordered list of parts. OpenAI's chat has one place for each kind of part
 * (`content`, `reasoning_content`, `tool_calls`), so that `[think, call, think, text, call]` would come back in another
 * order, and models that sign their reasoning refuse that. Everything that a provider says, streamed or whole, and
 * everything that a client gives back of it, is read into parts and written from them.
 *
 * A message (`chat.ts`) has chat's own fields and, where these alone would say something else, `parts`: `partsOf` reads
 * either, `messageOf` writes both. A stream says the same piece by piece, one part a chunk:
 *
 * | delta | what it does |
 * | --- | --- |
 * | `reasoning_content` | goes on with the thinking in progress, or begins one |
 * | `thinking_blocks` | seals the thinking in progress with what must be given back, or brings a sealed one |
 * | `content`, `annotations`, `extra_content` | go on with the text in progress, and say where it comes from |
 * | `refusal` | goes on with a refusal |
 * | `tool_calls` | go on with the call of that index, which began where its first piece came |
 * | `audio` | goes on with the sound in progress: its data and its transcript |
 * | `parts` | brings whole parts: pictures, files, tools that the provider ran, and what they gave |
 *
 * Log probabilities stand beside the text that they are of: `logprobs` of the chunk, or of the choice.
 *
 * What the protocol of a client has no word for is counted in `Lost` under the names below. Nothing is left out otherwise.
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
  /** Where it comes from; their places count from the beginning of all of the message's text. */
  annotations?: Annotation[];
  /** A mark up to which a prompt is to be cached. */
  cache_control?: unknown;
  /** What Google wants back with it. */
  extra_content?: unknown;
}

export interface RefusalPart {
  readonly type: 'refusal';
  text: string;
}

/** What was thought. */
export interface ThinkingPart {
  readonly type: 'thinking';
  /** As far as it is shown. */
  text: string;
  /** What must be given back to whoever issued it, and to nobody else. */
  seal?: Seal;
}

/**
 * What a provider wants back with reasoning, in the shape that it came in: Anthropic's and Bedrock's signed blocks, a
 * Responses item that is encrypted, and the details of chat gateways such as OpenRouter.
 */
export type Seal = JsonObject & { type: 'thinking' | 'redacted_thinking' | 'encrypted' | 'details' };

/** A call of a function that the client defined. Its arguments are the text that they came as, digit for digit. */
export interface CallPart {
  readonly type: 'call';
  readonly call: ToolCall;
}

/** A tool that the provider ran by itself. */
export interface HostedCallPart {
  readonly type: 'hosted_call';
  readonly id: string;
  /** In Anthropic's words: `web_search`, `code_execution`, `web_fetch`. */
  readonly name: string;
  /** What it was given, as JSON text of an object. */
  readonly input: string;
  /** The block or item that it came as. */
  readonly native?: Native;
}

/** What such a tool gave. */
export interface HostedResultPart {
  readonly type: 'hosted_result';
  /** Of its call. */
  readonly id: string;
  readonly name: string;
  /** Pages that were found. */
  readonly sources: readonly Source[];
  /** What it wrote, where it is no search. */
  readonly output?: string;
  readonly native?: Native;
}

/** What another protocol's words are made of, and what goes back as it is to a server of the same one. */
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
  /** A data: URI, or where it lies. */
  readonly url: string;
  /** What the model was asked for in its own words. */
  readonly prompt?: string;
  /** What Google wants back with it. */
  readonly extra_content?: unknown;
}

/** Sound, in chat's own shape. */
export interface AudioPart {
  readonly type: 'audio';
  id?: string;
  /** In base64. */
  data: string;
  /** What is said in it. */
  transcript: string;
  expires_at?: unknown;
}

/** A file that the provider made: where it keeps it, or its data. */
export interface FilePart {
  readonly type: 'file';
  readonly id?: string;
  /** A data: URI. */
  readonly url?: string;
}

/** Where a text comes from: a page, or a document that the model was given. */
export type Annotation = PageAnnotation | DocumentAnnotation;

/** Chat's own. Of no words in particular where both places are the same. */
export interface PageAnnotation {
  readonly type: 'url_citation';
  readonly url_citation: {
    readonly url: string;
    readonly title: string;
    /** Characters. */
    readonly start_index: number;
    readonly end_index: number;
    /** The words of the page. */
    readonly cited_text?: string;
  };
  /** The citation that it came as. */
  readonly native?: Native;
}

export interface DocumentAnnotation {
  readonly type: 'document_citation';
  /** Place of the document in the request, from 0. */
  readonly document: number;
  readonly title: string | null;
  readonly cited_text: string;
  /** Characters of the answer. */
  readonly start_index: number;
  readonly end_index: number;
  readonly native?: Native;
}
