/** Reads chats that consist of plain texts only from the bytes of their lines, without creating values. */
import { isUtf8 } from 'node:buffer';
import type { HeadScan, LineHead } from '../../logs/head.ts';
import { parseRest, parseShared } from '../../logs/head.ts';
import { JsonCursor } from '../../logs/json-cursor.ts';
import {
  CHOICE_KEYS,
  LINE_KEYS,
  MESSAGE_KEYS,
  OWNER_KEYS,
  REQUEST_KEYS,
  RESPONSE_KEYS,
  ROLES,
} from './plain-keys.ts';
import { numberOf } from '../../wire/json.ts';
import type { Conversation, Message } from '../conversation/conversation.ts';
import type { Facts } from './facts.ts';
import { tokenCount, verdictOf } from './facts.ts';

/** The facts that a row needs. */
export type PlainFacts = Pick<
  Facts,
  | 'ts'
  | 'id'
  | 'model'
  | 'provider'
  | 'finish'
  | 'key'
  | 'user'
  | 'conversation'
  | 'inputTokens'
  | 'outputTokens'
  | 'latencyMs'
  | 'failure'
>;

/** A message that consists of a role and a text. */
export interface PlainMessage {
  readonly role: 'system' | 'user' | 'assistant';
  /** The text; as bytes if it has no surrounding white space and no escapes. */
  readonly content: string | Uint8Array;
  /** The position of the text in the block, in the form that `JSON.stringify` would write. */
  readonly from: number;
  readonly to: number;
}

export interface PlainChat {
  readonly facts: PlainFacts;
  readonly prompt: readonly PlainMessage[];
  readonly answer: PlainMessage;
}

/** The conversation of a plain chat, with texts as strings. */
export function spelled({ prompt, answer }: PlainChat): Conversation {
  const turns = prompt.map(({ role, content }): Message => ({ role, content: textOf(content) }));
  return { prompt: turns, answer: { role: 'assistant', content: textOf(answer.content) }, tools: [] };
}

/** The texts of a plain chat. */
export function textsOf({ prompt, answer }: PlainChat): string[] {
  return [...prompt, answer].map(({ content }) => textOf(content));
}

function textOf(content: PlainMessage['content']): string {
  return typeof content === 'string' ? content : decoder.decode(content);
}

const decoder = new TextDecoder();

/** The end tag of reasoning, which is not part of the text. */
const THOUGHT = Buffer.from('think>');
/** The end tag of results that programs write into user messages, on which some chat templates fail. */
const RESULT = Buffer.from('tool_response>');
/** The beginnings of names in a usage that only tools of the provider have, such as `num_search_queries`. */
const SERVER_TOOLS = Buffer.from('"server_');
const NUMBER_OF = Buffer.from('"num_s');
const FIRST_VISIBLE = 0x21;
const LAST_VISIBLE = 0x7e;

/** The number of cached heads: many lines share one. */
const MAX_HEADS = 1_000;

/** Reads the lines of many blocks. */
export class PlainChats {
  /** The facts in heads, by their text; `undefined` for heads that are not of chats. */
  readonly #heads = new Map<string, PlainHead | undefined>();

  /** @param heads of the same block */
  over(block: Buffer, heads: HeadScan): PlainBlock {
    return new PlainBlock(block, heads, (shared) => this.#head(shared));
  }

  #head(shared: string): PlainHead | undefined {
    if (this.#heads.has(shared)) return this.#heads.get(shared);
    if (this.#heads.size >= MAX_HEADS) this.#heads.clear();
    const head = plainHead(parseShared(shared));
    this.#heads.set(shared, head);
    return head;
  }
}

type PlainHead = Pick<Facts, 'model' | 'provider' | 'finish' | 'failure'>;

function plainHead(head: LineHead | undefined): PlainHead | undefined {
  if (head?.endpoint !== 'chat' || head.provider === undefined || head.finish === 'refusal') return undefined;
  const { model, provider, finish } = head;
  return { model, provider, finish, failure: verdictOf('chat', head).failure };
}

/** The chats in one block. */
export class PlainBlock {
  readonly #block: Buffer;
  readonly #heads: HeadScan;
  readonly #headOf: (shared: string) => PlainHead | undefined;
  readonly #json: JsonCursor;
  /** About the line that is being read. */
  #prompt: PlainMessage[] = [];
  #answer: PlainMessage | undefined;
  #hasUser = false;
  /** The position of the value of `lane`, the last field of the head. */
  #bodyAt = 0;

  constructor(block: Buffer, heads: HeadScan, headOf: (shared: string) => PlainHead | undefined) {
    this.#block = block;
    this.#heads = heads;
    this.#headOf = headOf;
    this.#json = new JsonCursor(block);
  }

  /**
   * The chat in a line.
   * @param from the start of the line
   * @param to just past its last byte; a line end must follow
   * @returns `undefined` for any other line, and for everything that is not certainly a valid chat of plain texts
   */
  read(from: number, to: number): PlainChat | undefined {
    const facts = this.#facts(from, to);
    if (!facts) return undefined;
    this.#prompt = [];
    this.#answer = undefined;
    this.#hasUser = facts.user !== null;
    this.#json.at = this.#bodyAt;
    if (!this.#line() || this.#json.at !== to || this.#prompt.length === 0) return undefined;
    if (!isUtf8(this.#block.subarray(from, to))) return undefined;
    return this.#answer && { facts, prompt: this.#prompt, answer: this.#answer };
  }

  #facts(from: number, to: number): PlainFacts | undefined {
    const heads = this.#heads;
    const shared = heads.shared(from, to);
    const head = shared === undefined ? undefined : this.#headOf(shared);
    const text = head && heads.rest(from, to);
    const rest = text === undefined ? undefined : parseRest(text);
    if (!head || !rest || rest.conversation === undefined || rest.user === undefined) return undefined;
    this.#bodyAt = heads.restAt + rest.chars;
    return {
      ts: heads.time(from),
      id: heads.id,
      model: head.model,
      provider: head.provider,
      finish: head.finish,
      failure: head.failure,
      key: rest.key,
      user: rest.user,
      conversation: rest.conversation,
      inputTokens: tokenCount(rest.inputTokens),
      outputTokens: tokenCount(rest.outputTokens),
      latencyMs: numberOf(rest.latencyMs) ?? null,
    };
  }

  #line(): boolean {
    const json = this.#json;
    if (!json.value()) return false;
    for (let first = false; json.objectGoesOn(first); first = false) {
      if (!json.key()) return false;
      const key = LINE_KEYS.of(this.#block, json);
      // A field of the head that occurs again would count, even if it is empty.
      if (key === undefined) return false;
      if (key === 'request' ? !this.#request() : key === 'response' ? !this.#response() : !json.value())
        return false;
    }
    return json.closed;
  }

  /** If a field occurs twice, the last one counts: such a line is not plain. */
  #request(): boolean {
    const json = this.#json;
    if (this.#prompt.length > 0 || !json.object()) return false;
    for (let first = true; json.objectGoesOn(first); first = false) {
      if (!json.key()) return false;
      const key = REQUEST_KEYS.of(this.#block, json);
      if (OWNER_KEYS.has(key) && !this.#hasUser) return false;
      if (key === 'messages' ? !this.#messages() : !this.#skip(key)) return false;
    }
    return json.closed;
  }

  #messages(): boolean {
    const json = this.#json;
    if (this.#prompt.length > 0 || !json.list()) return false;
    for (let first = true; json.listGoesOn(first); first = false) {
      const message = this.#message();
      if (!message) return false;
      this.#prompt.push(message);
    }
    return json.closed;
  }

  #response(): boolean {
    const json = this.#json;
    if (this.#answer || !json.object()) return false;
    for (let first = true; json.objectGoesOn(first); first = false) {
      if (!json.key()) return false;
      const key = RESPONSE_KEYS.of(this.#block, json);
      if (key === 'choices' ? !this.#choices() : key === 'usage' ? !this.#usage() : !this.#skip(key))
        return false;
    }
    return json.closed;
  }

  /** The counts of an answer, unless they may include those of tools that the provider ran. */
  #usage(): boolean {
    const json = this.#json;
    const from = json.at;
    if (!json.value()) return false;
    const counts = this.#block.subarray(from, json.at);
    return !counts.includes(SERVER_TOOLS) && !counts.includes(NUMBER_OF);
  }

  /** A list with one item. */
  #choices(): boolean {
    const json = this.#json;
    if (this.#answer || !json.list() || !json.object()) return false;
    for (let first = true; json.objectGoesOn(first); first = false) {
      if (!json.key()) return false;
      const key = CHOICE_KEYS.of(this.#block, json);
      if (key === 'message' ? !this.#choice() : !this.#skip(key)) return false;
    }
    return json.closed && !json.listGoesOn(false) && json.closed;
  }

  #choice(): boolean {
    if (this.#answer) return false;
    this.#answer = this.#message();
    return this.#answer?.role === 'assistant';
  }

  #message(): PlainMessage | undefined {
    const json = this.#json;
    let role: PlainMessage['role'] | undefined;
    let [from, to, escaped] = [0, 0, false];
    if (!json.object()) return undefined;
    for (let first = true; json.objectGoesOn(first); first = false) {
      if (!json.key()) return undefined;
      const key = MESSAGE_KEYS.of(this.#block, json);
      if (key === 'role') {
        if (role !== undefined || !json.string()) return undefined;
        role = this.#role();
        if (role === undefined) return undefined;
      } else if (key === 'content') {
        if (to > 0 || !json.string() || json.unusual) return undefined;
        ({ from, to, escaped } = json);
      } else if (!json.nothing()) return undefined;
    }
    if (!json.closed || role === undefined) return undefined;
    const content = this.#text(from, to, escaped);
    if (content === undefined || (role !== 'system' && this.#holdsTag(role, from, to))) return undefined;
    return { role, content, from, to };
  }

  #role(): PlainMessage['role'] | undefined {
    const role = ROLES.of(this.#block, this.#json);
    return role === 'developer' ? 'system' : role;
  }

  /** @returns `undefined` if there is only white space */
  #text(from: number, to: number, escaped: boolean): PlainMessage['content'] | undefined {
    const block = this.#block;
    if (from === to) return undefined;
    if (!escaped && isVisible(block[from]!) && isVisible(block[to - 1]!)) return block.subarray(from, to);
    const text = escaped
      ? (JSON.parse(block.toString('utf8', from - 1, to + 1)) as string)
      : block.toString('utf8', from, to);
    return text.trim() === '' ? undefined : text;
  }

  /** Whether a text contains a tag that affects its row. */
  #holdsTag(role: 'user' | 'assistant', from: number, to: number): boolean {
    return this.#block.subarray(from, to).includes(role === 'user' ? RESULT : THOUGHT);
  }

  /** A field whose value does not affect the row; unknown fields must be absent. */
  #skip(key: string | undefined): boolean {
    return key === undefined ? this.#json.nothing() : this.#json.value();
  }
}

function isVisible(byte: number): boolean {
  return byte >= FIRST_VISIBLE && byte <= LAST_VISIBLE;
}
