/** What a request asks, in one form for all protocols: what a client sent and what a provider got are compared by. */

import type { Client } from '../answers/compare.ts';

/** By what API a client asks: two are compared by their requests alone. */
export type Asker = Client | 'ollama' | 'interactions';

export type Role = 'user' | 'assistant';

/** One part of the conversation, in order. Thinking is left out: each vendor takes only what it said itself. */
export type Item =
  | { readonly kind: 'text'; readonly role: Role; readonly text: string }
  | {
      readonly kind: 'image' | 'file' | 'audio' | 'video';
      readonly role: Role | 'tool';
      readonly data: string;
    }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly input: string }
  | { readonly kind: 'result'; readonly id: string; readonly text: string; readonly failed: boolean }
  | { readonly kind: 'ran'; readonly name: string };

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Names of the parameters, in alphabetical order. */
  readonly properties: readonly string[];
}

export type Parameter =
  | 'max'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'stop'
  | 'seed'
  | 'presence'
  | 'frequency'
  | 'n'
  | 'logprobs'
  | 'topLogprobs'
  | 'bias'
  | 'parallel'
  | 'effort'
  | 'format'
  | 'user'
  | 'tier'
  | 'verbosity'
  | 'modalities';

export interface Asking {
  /** All instructions. */
  readonly system: string;
  readonly items: readonly Item[];
  readonly tools: readonly Tool[];
  /** Tools that the provider is to run, by their types. */
  readonly hosted: readonly string[];
  /** `auto`, `none`, `required`, or the name of a tool; `undefined` where it is not said. */
  readonly choice: string | undefined;
  readonly parameters: Readonly<Partial<Record<Parameter, unknown>>>;
}

/** Those that are given. */
export function given(parameters: Partial<Record<Parameter, unknown>>): Asking['parameters'] {
  return Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null),
  );
}
