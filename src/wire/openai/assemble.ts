import type { Assembler } from '../assembler.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import type { Choice } from './folding.ts';
import { areBroken, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { Folding } from './folding.ts';

/** Indexes come from outside and must not make lists as long as they like. */
const MAX_CALLS = 1_024;

interface Call {
  readonly index: number | undefined;
  id: string | undefined;
  name: string;
  arguments: string;
  /** What the vendor put beside it, to be given back with it. */
  extra: unknown;
  /** Whether no tool can be run with its arguments; `undefined` until somebody asks. */
  broken: boolean | undefined;
}

/** Arguments of so many characters are read as soon as they are complete. */
const LONG = 64 * 1024;

interface ChatChoice extends Choice {
  role: string;
  text: string | null;
  readonly texts: Record<string, string>;
  readonly others: JsonObject;
  readonly calls: Call[];
  readonly logprobs: unknown[];
}

/** Fields of a delta that belong to the model that made them: signed reasoning, sound, calls. */
const BOUND = ['thinking_blocks', 'reasoning_details', 'audio', 'function_call'] as const;

/** Fields of a delta that grow piece by piece. */
const GROWING = new Set(['reasoning_content', 'reasoning', 'refusal']);

class ChatFolding extends Folding<ChatChoice> {
  protected override readonly object = 'chat.completion';
  /** Whether any call is broken; `undefined` until somebody asks. */
  #broken: boolean | undefined;

  protected override choice(index: number): ChatChoice {
    return {
      index,
      finish: null,
      role: 'assistant',
      text: null,
      texts: {},
      others: {},
      calls: [],
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

  override get called(): boolean {
    return this.choices.some(({ calls }) => calls.length > 0);
  }

  /** Asked at the end of each choice, of which there may be many, with thousands of calls in all. */
  override get brokenCall(): boolean {
    return (this.#broken ??= this.choices.some(({ calls }) => calls.some(isBroken)));
  }

  override begun(): Begun | undefined {
    const [choice, second] = this.choices;
    if (!choice || second || !choice.text || choice.finish !== null) return undefined;
    const bound =
      choice.calls.length > 0 || choice.texts.refusal || BOUND.some((key) => key in choice.others);
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
    const index = numberOf(delta.index);
    const id = stringOf(delta.id) || undefined;
    const { name, arguments: piece } = objectOf(delta.function);
    // Some vendors leave the index out or give every call the same one: a new id is a new call.
    let call = choice.calls.findLast((known) =>
      index === undefined ? id === undefined || known.id === id : known.index === index,
    );
    if (!call || (id !== undefined && call.id !== undefined && call.id !== id)) {
      if (choice.calls.length >= MAX_CALLS) return;
      const last = choice.calls.at(-1);
      // So that not all that is long is read at the end.
      if (last && last.arguments.length > LONG) isBroken(last);
      call = { index, id, name: '', arguments: '', extra: undefined, broken: undefined };
      choice.calls.push(call);
    }
    this.#broken = call.broken = undefined;
    call.id ??= id;
    call.extra ??= delta.extra_content;
    if (typeof name === 'string' && call.name === '') call.name = name;
    if (typeof piece === 'string') call.arguments += piece;
    else if (isObject(piece)) call.arguments += JSON.stringify(piece);
  }

  protected override shown(choice: ChatChoice): JsonObject {
    const tool_calls = choice.calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
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

function isBroken(call: Call): boolean {
  return (call.broken ??= areBroken(call.arguments));
}

/** The list with more at its end: in place, since a copy for each chunk would take the square of them. */
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

/** For the chunks of /v1/chat/completions, as any vendor sends them. @param quirks the vendor's */
export function chatAssembler(quirks: Quirks = {}): Assembler {
  return new ChatFolding(quirks);
}

/** For the chunks of /v1/completions. @param quirks the vendor's */
export function completionAssembler(quirks: Quirks = {}): Assembler {
  return new CompletionFolding(quirks);
}
