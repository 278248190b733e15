import type { Events } from '../long-events.ts';
import type { JsonObject } from '../json.ts';
import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { Begun } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { areBroken, countOf, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { failureEvents } from './failure.ts';
import { eventUsage, responseFinish } from './response.ts';

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_ITEMS = 1_024;

/** What grows by an event: which field, of which item, and in which list of parts. */
const GROWN: Readonly<Record<string, { item: string; list?: string; type?: string; field: string }>> = {
  'response.output_text.delta': { item: 'message', list: 'content', type: 'output_text', field: 'text' },
  'response.refusal.delta': { item: 'message', list: 'content', type: 'refusal', field: 'refusal' },
  'response.reasoning_summary_text.delta': {
    item: 'reasoning',
    list: 'summary',
    type: 'summary_text',
    field: 'text',
  },
  'response.reasoning_text.delta': {
    item: 'reasoning',
    list: 'content',
    type: 'reasoning_text',
    field: 'text',
  },
  'response.function_call_arguments.delta': { item: 'function_call', field: 'arguments' },
  'response.custom_tool_call_input.delta': { item: 'custom_tool_call', field: 'input' },
};

/** An item as far as it is known. */
interface Draft {
  /** As announced, or complete. */
  value: JsonObject;
  done: boolean;
  /** By list and index, for items with parts. */
  readonly parts: Map<string, { readonly list: string; readonly value: JsonObject; done: boolean }>;
  /** Arguments or input, for calls. */
  text: string;
  field: string;
}

/** For the events of /v1/responses: the last one contains the response; until then it is assembled. */
export function responseAssembler(): Assembler {
  return new ResponseFolding();
}

class ResponseFolding implements Assembler {
  #response: JsonObject = {};
  /** By output index, or in order of arrival. */
  readonly #drafts = new Map<number, Draft>();
  readonly #places = new Map<string, number>();
  /** The index of the item mentioned last, and the first free index. */
  #last = 0;
  #free = 0;
  /** The sequence number of the next event. */
  #next = 0;
  /** Whether the text has annotations or log probabilities, which are specific to the model. */
  #annotated = false;
  usage: Usage | undefined;
  content = false;
  finish: string | null = null;

  push(event: JsonObject): void {
    const type = stringOf(event.type) ?? '';
    this.#next = (countOf(event.sequence_number) ?? this.#next) + 1;
    this.#annotated ||= type.includes('.annotation.') || listOf(event.logprobs).length > 0;
    if (isObject(event.response)) this.#response = event.response;
    this.count(event);
    if (type === 'response.output_item.added') this.#item(event, false);
    else if (type === 'response.output_item.done') this.#item(event, true);
    else if (GROWN[type]) this.#grow(GROWN[type], event);
    else if (type === 'response.function_call_arguments.done') this.#argued(event);
    else if (type === 'response.output_text.done') this.#addText(event);
    else if (type === 'response.completed' || type === 'response.incomplete') {
      const status = type === 'response.incomplete' ? 'incomplete' : this.#response.status;
      const finish = responseFinish({ ...this.#response, status, output: this.#output }) ?? 'stop';
      // A completed response without any output does not count as an answer.
      this.finish = finish === 'stop' && this.#output.length === 0 ? null : finish;
    }
  }

  count(event: JsonObject): void {
    this.usage = eventUsage(event) ?? this.usage;
  }

  get seen(): number {
    return 1;
  }

  get finished(): boolean {
    return this.finish !== null;
  }

  result(): JsonObject {
    return { ...this.#response, output: this.#output };
  }

  get called(): boolean {
    return this.#calls.length > 0;
  }

  get brokenCall(): boolean {
    return this.#calls.some(({ value, done, text }) =>
      areBroken(done ? (stringOf(value.arguments) ?? '') : text),
    );
  }

  /** Reasoning that must be sent back is specific to its model; a plain summary may precede the text. */
  begun(): Begun | undefined {
    const drafts = this.#ordered();
    const last = drafts.pop();
    const [part, second] = last?.parts.values() ?? [];
    const text = part?.value.type === 'output_text' && !part.done ? stringOf(part.value.text) : undefined;
    if (!last || !text || second || this.#annotated || this.finish !== null) return undefined;
    const plain = drafts.every(({ value, done }) => done && isPlainReasoning(value));
    const item = stringOf(last.value.id);
    const place = drafts.length;
    if (last.done || !plain || item === undefined || !this.#drafts.has(place)) return undefined;
    const { id, model } = this.#response;
    if (typeof id !== 'string' || typeof model !== 'string') return undefined;
    const items = drafts.map(({ value }) => value);
    return { text, place, response: { announced: this.#response, items, item, next: this.#next } };
  }

  fail(error: ProxyError, _requestId: string): Events {
    return failureEvents(error, { object: 'response', ...this.result() }, this.#next);
  }

  fresh(): Assembler {
    const rest = new ResponseFolding();
    rest.#response = this.#response;
    rest.#next = this.#next;
    rest.usage = this.usage;
    return rest;
  }

  get #calls(): Draft[] {
    return [...this.#drafts.values()].filter(({ value }) => value.type === 'function_call');
  }

  #ordered(): Draft[] {
    return [...this.#drafts].sort(([a], [b]) => a - b).map(([, draft]) => draft);
  }

  get #output(): unknown[] {
    const listed = listOf(this.#response.output);
    if (listed.length > 0) return listed;
    return this.#ordered().map(shown);
  }

  #item(event: JsonObject, done: boolean): void {
    const item = objectOf(event.item);
    // A call is content even if its arguments came in one piece.
    if (done) this.content ||= item.type !== 'reasoning';
    const draft = this.#draft(event, item, !done);
    if (!draft) return;
    draft.value = item;
    draft.done = done;
  }

  #grow(what: (typeof GROWN)[string], event: JsonObject): void {
    const delta = stringOf(event.delta) ?? '';
    if (delta === '') return;
    this.content = true;
    const draft = this.#draft(event, {}, false);
    if (!draft || draft.done) return;
    draft.value.type ??= what.item;
    draft.field = what.field;
    if (what.list === undefined) {
      draft.text += delta;
      return;
    }
    const index = numberOf(event.content_index) ?? numberOf(event.summary_index) ?? 0;
    const key = `${what.list} ${index}`;
    let part = draft.parts.get(key);
    if (!part) {
      if (draft.parts.size >= MAX_ITEMS) return;
      part = { list: what.list, value: { type: what.type, [what.field]: '' }, done: false };
      draft.parts.set(key, part);
    }
    part.value[what.field] = (stringOf(part.value[what.field]) ?? '') + delta;
  }

  /** Handles a complete text. */
  #addText(event: JsonObject): void {
    const draft = this.#draft(event, {}, false);
    for (const part of draft?.parts.values() ?? []) part.done = true;
  }

  /** LM Studio sends arguments in one piece, without deltas. */
  #argued(event: JsonObject): void {
    const draft = this.#draft(event, {}, false);
    if (!draft || draft.done) return;
    this.content = true;
    draft.value.type ??= 'function_call';
    draft.field = 'arguments';
    draft.text = stringOf(event.arguments) ?? draft.text;
  }

  /** The item of an event: by its output index, by its id, otherwise the last one. @param begins whether it is new */
  #draft({ output_index, item_id }: JsonObject, item: JsonObject, begins: boolean): Draft | undefined {
    const name = stringOf(item_id) ?? stringOf(item.id) ?? stringOf(item.call_id);
    const known = name === undefined ? undefined : this.#places.get(name);
    const fresh = begins || (this.#drafts.get(this.#last)?.done ?? true);
    const place = numberOf(output_index) ?? known ?? (fresh ? this.#free : this.#last);
    if (name !== undefined && this.#places.size < MAX_ITEMS) this.#places.set(name, place);
    this.#last = place;
    this.#free = Math.max(this.#free, place + 1);
    const draft = this.#drafts.get(place);
    if (draft || this.#drafts.size >= MAX_ITEMS) return draft;
    const added: Draft = { value: {}, done: false, parts: new Map(), text: '', field: '' };
    this.#drafts.set(place, added);
    return added;
  }
}

function isPlainReasoning({ type, encrypted_content: encrypted }: JsonObject): boolean {
  return type === 'reasoning' && !encrypted;
}

/** A truncated item has the content received so far. */
function shown({ value, done, parts, text, field }: Draft): JsonObject {
  if (done) return value;
  const lists: Record<string, JsonObject[]> = {};
  for (const part of parts.values()) (lists[part.list] ??= []).push(part.value);
  return {
    ...(value.type === 'message' ? { role: 'assistant' } : {}),
    ...value,
    ...lists,
    ...(text === '' ? {} : { [field]: text }),
    ...(value.type === 'reasoning' ? {} : { status: 'incomplete' }),
  };
}
