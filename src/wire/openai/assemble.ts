import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import type { Choice } from './folding.ts';
import { listOf, objectOf, stringOf } from '../json.ts';
import { CallList, isBroken } from './call-list.ts';
import { Folding } from './folding.ts';

interface ChatChoice extends Choice {
  role: string;
  text: string | null;
  readonly texts: Record<string, string>;
  readonly others: JsonObject;
  readonly calls: CallList;
  readonly logprobs: unknown[];
}

/** Fields of a delta that are specific to the model: signed reasoning, audio, calls. */
const BOUND = ['thinking_blocks', 'reasoning_details', 'audio', 'function_call'] as const;

/** Fields of a delta that are concatenated. */
const GROWING = new Set(['reasoning_content', 'reasoning', 'refusal']);

class ChatFolding extends Folding<ChatChoice> {
  protected override readonly object = 'chat.completion';
  /** Whether any call is broken; `undefined` until it is needed. */
  #broken: boolean | undefined;

  protected override choice(index: number): ChatChoice {
    return {
      index,
      finish: null,
      role: 'assistant',
      text: null,
      texts: {},
      others: {},
      calls: new CallList(),
      logprobs: [],
    };
  }

  protected override fold(choice: ChatChoice, piece: JsonObject): void {
    // Perplexity repeats the whole message beside each delta; some servers send only the message.
    const delta = objectOf(piece.delta ?? piece.message);
    for (const key in delta) {
      const value = delta[key];
      if (value === null || value === undefined) continue;
      if (key === 'content') this.#text(choice, value);
      else if (GROWING.has(key) && typeof value === 'string') {
        choice.texts[key] = (choice.texts[key] ?? '') + value;
        this.content ||= value !== '';
      } else if (key === 'tool_calls') for (const call of listOf(value)) this.#call(choice, objectOf(call));
      else if (key === 'role') choice.role = stringOf(value) || choice.role;
      else {
        choice.others[key] = Array.isArray(value) ? grown(choice.others[key], value) : value;
        this.content ||= key === 'audio' || key === 'function_call';
      }
    }
    for (const each of listOf(objectOf(piece.logprobs).content)) choice.logprobs.push(each);
  }

  /** After a forced call OpenAI says that the model stopped, as after a text. */
  override get finish(): string | null {
    const finish = super.finish;
    const [choice] = this.choices;
    if (finish !== 'stop' || !choice) return finish;
    return choice.calls.calls.length > 0 || 'function_call' in choice.others ? 'tool_calls' : finish;
  }

  override get called(): boolean {
    return this.choices.some(({ calls }) => calls.calls.length > 0);
  }

  /** Determined at the end of each choice, of which there may be many, with thousands of calls in total. */
  override get brokenCall(): boolean {
    return (this.#broken ??= this.choices.some(({ calls }) => calls.calls.some(isBroken)));
  }

  override begun(): Begun | undefined {
    const [choice, second] = this.choices;
    if (!choice || second || !choice.text || choice.finish !== null) return undefined;
    const bound =
      choice.calls.calls.length > 0 || choice.texts.refusal || BOUND.some((key) => key in choice.others);
    return bound ? undefined : { text: choice.text, place: 0 };
  }

  override fresh(): Assembler {
    return new ChatFolding(this.quirks);
  }

  #text(choice: ChatChoice, value: unknown): void {
    // Mistral's reasoning models stream lists of parts.
    const text =
      typeof value === 'string'
        ? value
        : listOf(value)
            .map((part) => stringOf(objectOf(part).text) ?? '')
            .join('');
    choice.text = (choice.text ?? '') + text;
    this.content ||= text !== '' || Array.isArray(value);
  }

  #call(choice: ChatChoice, delta: JsonObject): void {
    this.content = true;
    this.#broken = undefined;
    choice.calls.take(delta);
  }

  protected override shown(choice: ChatChoice): JsonObject {
    const tool_calls = choice.calls.calls.map((call) => ({
      id: call.id,
      ...(call.custom
        ? { type: 'custom', custom: { name: call.name, input: call.arguments } }
        : { type: 'function', function: { name: call.name, arguments: call.arguments } }),
      ...(call.extra === undefined ? {} : { extra_content: call.extra }),
    }));
    return {
      index: choice.index,
      message: {
        role: choice.role,
        content: choice.text === '' && tool_calls.length > 0 ? null : choice.text,
        ...choice.texts,
        ...choice.others,
        ...(tool_calls.length > 0 ? { tool_calls } : {}),
      },
      ...(choice.logprobs.length > 0 ? { logprobs: { content: choice.logprobs } } : {}),
      finish_reason: choice.finish,
    };
  }
}

/** Extends the list in place, since copying it for each chunk would be quadratic. */
function grown(list: unknown, more: readonly unknown[]): unknown[] {
  if (!Array.isArray(list)) return [...more];
  for (const each of more) list.push(each);
  return list;
}

interface TextChoice extends Choice {
  text: string;
}

class CompletionFolding extends Folding<TextChoice> {
  protected override readonly object = 'text_completion';

  protected override choice(index: number): TextChoice {
    return { index, finish: null, text: '' };
  }

  protected override fold(choice: TextChoice, piece: JsonObject): void {
    const text = stringOf(piece.text) ?? '';
    choice.text += text;
    this.content ||= text !== '';
  }

  override fresh(): Assembler {
    return new CompletionFolding(this.quirks);
  }

  protected override shown({ index, text, finish }: TextChoice): JsonObject {
    return { index, text, logprobs: null, finish_reason: finish };
  }
}

/** For the chunks of /v1/chat/completions from any vendor. @param quirks the vendor's */
export function chatAssembler(quirks: Quirks = {}): Assembler {
  return new ChatFolding(quirks);
}

/** For the chunks of /v1/completions. @param quirks the vendor's */
export function completionAssembler(quirks: Quirks = {}): Assembler {
  return new CompletionFolding(quirks);
}
