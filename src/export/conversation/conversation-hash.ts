/**
 * Conversations as chains of hashes: each hash stands for everything that users, the model and tools have said so far.
 * If the last hash of a record occurs within another's chain, the record is a prefix of the other. System prompts are
 * not part of any chain.
 */
import { isObject, parseJson } from '../../wire/json.ts';
import type { AssistantMessage, Conversation, Message, PlainMessage, ToolMessage } from './conversation.ts';
import { contentText } from './conversation.ts';
import { Hash64 } from './hash64.ts';
import { HASH, HASHES_PER_ROW } from '../convert/batch.ts';

/** A conversation, or one whose texts are bytes: those contain no line ends, and no surrounding white space. */
export interface HashedConversation {
  readonly prompt: readonly HashedMessage[];
  readonly answer: HashedMessage;
  readonly tools: Conversation['tools'];
}

export type HashedMessage =
  Message | { readonly role: 'system' | 'user' | 'assistant'; readonly content: string | Uint8Array };

/** The owner of an exchange, as far as the record identifies it. */
export interface Owner {
  readonly id: string | null;
  readonly key: string | null;
  readonly user: string | null;
  readonly conversation: string | null;
}

/** The hashes of one row; the object is reused for each row. */
export class ConversationHash {
  /** See HASH in batch.ts. */
  readonly hashes = new Uint32Array(HASHES_PER_ROW);
  /** The hashes after each answer in the prompt, in pairs. */
  readonly turns: number[] = [];
  readonly #message = new Hash64();
  readonly #chain = new Hash64();
  readonly #content = new Hash64();

  /** Computes the hashes of a conversation as logged. */
  of({ prompt, answer, tools }: HashedConversation, owner: Owner): void {
    this.turns.length = 0;
    this.hashes.fill(0);
    const named = owner.conversation !== null;
    this.#chain.start(named ? 1 : 2);
    if (named) this.#chain.add(owner.conversation!);
    // Users of two programs may begin with the same words, and get the same answers.
    if (owner.key !== null) this.#chain.add(owner.key);
    this.#content.start(3);
    let rooted = false;
    for (const message of prompt) {
      addMessage(this.#content, message, this.#message);
      if (message.role === 'user' && !rooted) {
        this.#put(HASH.firstPrompt, this.#message);
        rooted = true;
      }
      // Clients put the time of day and the like into the system prompt, so it only counts for its turn.
      if (message.role !== 'system') this.#chain.link(this.#message);
      if (message.role === 'assistant') this.turns.push(this.#chain.hi, this.#chain.lo);
    }
    this.#close(answer, tools);
    this.#chain.link(this.#message);
    this.#put(HASH.conversation, this.#chain);
    if (!rooted) this.#put(HASH.firstPrompt, this.#content);
    this.#own(owner);
  }

  /** Sets when the record was written, milliseconds since the epoch. */
  writtenAt(ms: number): void {
    this.#put(HASH.written, { hi: Math.floor(ms / 2 ** 32), lo: ms >>> 0 });
  }

  /** Without a conversation, a whole record stands for itself. */
  record(text: string): void {
    this.turns.length = 0;
    this.hashes.fill(0);
    this.#text(HASH.content, text);
    this.#text(HASH.firstPrompt, text);
    this.#text(HASH.prompt, text);
  }

  /** Replaces the hashes for duplicates by those of the conversation as it will be written. */
  rewrite({ prompt, answer, tools }: Conversation): void {
    this.#content.start(3);
    for (const message of prompt) addMessage(this.#content, message, this.#message);
    this.#close(answer, tools);
  }

  /** The hashes of the written form: without the answer and with it. Leaves the hash of the answer message itself. */
  #close(answer: HashedMessage, tools: Conversation['tools']): void {
    if (tools.length > 0) this.#content.add(JSON.stringify(tools));
    this.#put(HASH.prompt, this.#content);
    addMessage(this.#content, answer, this.#message);
    this.#put(HASH.content, this.#content);
  }

  #own({ id, key, user, conversation }: Owner): void {
    if (conversation !== null) this.#text(HASH.session, conversation);
    if (id !== null) this.#text(HASH.id, id);
    this.#message.start(4);
    for (const name of [key, user, conversation]) {
      if (name === null) this.#message.link(NO_NAME);
      else this.#message.add(name);
    }
    this.#put(HASH.owner, this.#message);
  }

  #text(place: number, text: string): void {
    this.#message.start(0);
    this.#message.add(text);
    this.#put(place, this.#message);
  }

  #put(place: number, { hi, lo }: Pick<Hash64, 'hi' | 'lo'>): void {
    this.hashes[place] = hi;
    this.hashes[place + 1] = lo;
  }
}

/** The hash of the written form with another answer to a prompt. @param prompt the hash of the prompt */
export function answeredHash({ hi, lo }: Pick<Hash64, 'hi' | 'lo'>, answer: AssistantMessage): Hash64 {
  const content = new Hash64();
  [content.hi, content.lo] = [hi, lo];
  addMessage(content, answer, new Hash64());
  return content;
}

/**
 * Adds a message to the hash of the written form. Reasoning, line ends and all of the arguments are part of it, but not of
 * chains: clients do not send reasoning back, may join the pieces of an answer by line ends or by nothing, and tidy
 * arguments.
 * @param link set to the message's own hash, as used in chains
 */
function addMessage(content: Hash64, message: HashedMessage, link: Hash64): void {
  if (message.content instanceof Uint8Array) {
    link.start(ROLES[message.role]);
    link.add(message.content);
    content.link(link);
    return;
  }
  hashMessage(link, message as Message);
  content.link(link);
  if (message.role !== 'assistant') return addLayout(content, message as PlainMessage | ToolMessage);
  if (message.content.includes('\n')) content.add(message.content.trim());
  const { reasoning, tool_calls: calls } = message as AssistantMessage;
  for (const { function: called } of calls ?? []) content.add(canonical(called.arguments));
  if (reasoning !== undefined) content.add(reasoning);
}

/** White space around a text, and the kind of its line ends, are not part of chains either: clients change them. */
function addLayout(content: Hash64, message: PlainMessage | ToolMessage): void {
  const text = contentText(message.content);
  if (text !== undefined && text !== textOf(message)) content.add(text);
}

function hashMessage(hash: Hash64, message: Message): void {
  hash.start(ROLES[message.role]);
  if (message.role !== 'assistant') {
    hash.add(textOf(message));
    return;
  }
  hash.add(answerTextOf(message));
  for (const { function: called } of message.tool_calls ?? []) {
    hash.add(called.name);
    hash.add(returned(called.arguments));
  }
}

/** Everything that chains use of a message, as one text: two messages have the same text if they have the same hash. */
export function linkText(hashed: HashedMessage): string | Uint8Array {
  if (hashed.content instanceof Uint8Array) return hashed.content;
  const message = hashed as Message;
  if (message.role !== 'assistant') return textOf(message);
  const calls = message.tool_calls ?? [];
  if (calls.length === 0) return answerTextOf(message);
  const called = calls.map(({ function: { name, arguments: args } }) => [name, returned(args)]);
  return JSON.stringify([answerTextOf(message), called]);
}

function textOf({ content }: Exclude<Message, AssistantMessage>): string {
  const text = contentText(content) ?? JSON.stringify(content);
  return (text.includes('\r') ? text.replaceAll('\r\n', '\n') : text).trim();
}

function answerTextOf({ content, refusal }: AssistantMessage): string {
  const answerText = refusal === undefined ? content : content + refusal;
  return answerText.includes('\n') ? answerText.replaceAll(/\r?\n/g, '').trim() : answerText.trim();
}

const NO_NAME = { hi: 0, lo: 0 };
const ROLES = { system: 11, user: 12, assistant: 13, tool: 14 } as const;

/** The hash of a text as {@link ConversationHash} computes it for ids. */
export function idHash(id: string): Hash64 {
  const hash = new Hash64();
  hash.start(0);
  hash.add(id);
  return hash;
}

/** Arguments with sorted keys, however client and provider wrote them. */
function canonical(args: string): string {
  return rewritten(args, (value) => value);
}

/**
 * Arguments as far as clients send them back unchanged. Claude Code adds defaults, turns texts into numbers, and leaves out
 * white space at line ends and the change to the directory in which it is anyway.
 */
function returned(args: string): string {
  return rewritten(args, (value) => {
    if (typeof value === 'string') return value.replace(CHANGE_OF_DIRECTORY, '').replaceAll(/\s+/g, '');
    // Most defaults are false or null. What is undefined is left out.
    return value === false || value === null ? undefined : String(value);
  });
}

const CHANGE_OF_DIRECTORY = /^\s*cd\s[^&\n]*&&/;

/** JSON text of an object with sorted keys, and other values that are neither lists nor objects. */
function rewritten(args: string, rewrite: (value: unknown) => unknown): string {
  const inOrder = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inOrder);
    if (!isObject(value)) return rewrite(value);
    const keys = Object.keys(value).toSorted();
    return Object.fromEntries(keys.map((key) => [key, inOrder(value[key])]));
  };
  const value = parseJson(args);
  return isObject(value) ? JSON.stringify(inOrder(value)) : args;
}
