/**
 * The content of a request, in one form for all protocols, in which a client's and a provider's request are compared.
 */

import type { Client } from '../answers/compare.ts';

/** The API of a client: of two of them, only requests are compared. */
export type Asker = Client | 'ollama' | 'interactions';

export type Role = 'user' | 'assistant';

/** One part of the conversation, in order. Thinking is left out: each vendor accepts only its own. */
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
  /** The names of the parameters, in alphabetical order. */
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
  /** The tools that the provider must run, by type. */
  readonly hosted: readonly string[];
  /** `auto`, `none`, `required`, or the name of a tool; `undefined` if not given. */
  readonly choice: string | undefined;
  readonly parameters: Readonly<Partial<Record<Parameter, unknown>>>;
}

/** The parameters that are given. */
export function given(parameters: Partial<Record<Parameter, unknown>>): Asking['parameters'] {
  return Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null),
  );
}
