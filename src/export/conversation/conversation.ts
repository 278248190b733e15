/**
 * The canonical conversation, which every format is written from: text parts are joined, legacy functions are
 * tools, fields that no trainer knows are gone. It is plain JSON, so that it can be kept in a file.
 */
export interface Conversation {
  /** The messages before the answer. */
  readonly prompt: readonly Message[];
  readonly answer: AssistantMessage;
  /** Empty when the request defines none. */
  readonly tools: readonly Tool[];
  readonly parallelToolCalls?: boolean;
}

export type Message = PlainMessage | AssistantMessage | ToolMessage;

export interface PlainMessage {
  readonly role: 'system' | 'user';
  /** Parts only where there are images. */
  readonly content: string | readonly Part[];
  readonly name?: string;
}

export interface AssistantMessage {
  readonly role: 'assistant';
  /** Empty beside tool calls that came without text, and in a refusal that is kept apart. */
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  /** The reasoning of the model in plain text; encrypted reasoning and signatures are never exported. */
  readonly reasoning?: string;
  /** Set with `--refusals keep` alone. */
  readonly refusal?: string;
  /** Marks an answer in the prompt that is shown to the model but not trained. */
  readonly untrained?: true;
}

export interface ToolMessage {
  readonly role: 'tool';
  readonly content: string;
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

/** The source of one row: a conversation, and for some formats the feedback on its answer. */
export interface Example {
  readonly conversation: Conversation;
  /** Another answer to the same prompt, which is the worse one. */
  readonly rejected?: AssistantMessage;
  /** Whether the answer is a good one. */
  readonly label?: boolean;
  /** The score that feedback gave the answer, from -1 to 1, when `--metadata full` asks for that. */
  readonly score?: number;
  /** The origin of the row, when `--metadata` asks for it. */
  readonly metadata?: { readonly [field: string]: unknown };
}
