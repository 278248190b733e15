/**
 * The canonical conversation, which every format is written from: text parts are joined, legacy functions are
 * tools, fields that no trainer knows are gone.
 */
export interface Conversation {
  /** What the model was told. */
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
  /** Empty beside tool calls that came without text. */
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
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
