/**
 * The canonical conversation, from which every format is rendered: text parts are joined, deprecated functions become
 * tools, and fields that no trainer knows are removed. It is plain JSON, so that it can be stored in a file.
 */
export interface Conversation {
  /** The messages before the answer. */
  readonly prompt: readonly Message[];
  readonly answer: AssistantMessage;
  /** Empty if the request defines none. */
  readonly tools: readonly Tool[];
  readonly parallelToolCalls?: boolean;
}

/** The text of a content without images; `undefined` if there are some. Parts become lines, as in servers of open models. */
export function contentText(content: PlainMessage['content']): string | undefined {
  if (typeof content === 'string') return content;
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === content.length ? texts.join('\n') : undefined;
}

export type Message = PlainMessage | AssistantMessage | ToolMessage;

export interface PlainMessage {
  readonly role: 'system' | 'user';
  /** A list of parts only if there are images, or if the parts have not been redacted yet. */
  readonly content: string | readonly Part[];
  readonly name?: string;
}

/** A content that was logged in parts, which become lines. */
interface Parted {
  readonly content: string;
  /** The parts, until they have been redacted: a value may be spread over several of them. */
  readonly parts?: readonly string[];
}

export interface AssistantMessage extends Parted {
  readonly role: 'assistant';
  /** Empty if tool calls came without text, and for a refusal that is kept in its own field. */
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  /** The model's reasoning as plain text; encrypted reasoning and signatures are never exported. */
  readonly reasoning?: string;
  /** Only set with `--refusals keep`. */
  readonly refusal?: string;
  /** Marks an answer in the prompt that is shown to the model but not trained. */
  readonly untrained?: true;
}

export interface ToolMessage extends Parted {
  readonly role: 'tool';
  readonly tool_call_id: string;
  readonly name?: string;
}

export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string; readonly detail?: string } };

export interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  /** `arguments` is the JSON text of an object. */
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface Tool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: unknown;
    readonly strict?: boolean;
  };
}

/** The source of one row: a conversation and, for some formats, the feedback on its answer. */
export interface Example {
  readonly conversation: Conversation;
  /** The worse answer to the same prompt. */
  readonly rejected?: AssistantMessage;
  /** Whether the answer is a good one. */
  readonly label?: boolean;
  /** The feedback score of the answer, from -1 to 1, with `--metadata full`. */
  readonly score?: number;
  /** The origin of the row, with `--metadata`. */
  readonly metadata?: { readonly [field: string]: unknown };
}
