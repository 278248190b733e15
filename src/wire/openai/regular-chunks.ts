/** Normalises chunks of servers that deviate from OpenAI's chat. */
import type { JsonObject } from '../json.ts';
import type { StreamedCall } from './call-list.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { CallList } from './call-list.ts';

/** The state of a choice. */
interface Choice {
  readonly calls: CallList;
  /** Whether it contains text. */
  says: boolean;
  /** Whether its latest chunk had an empty finish reason. */
  endsEmpty: boolean;
}

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_CHOICES = 128;

/** Normalises the chunks of one answer: each call has its own index and a text id, and begins with its name. */
export class RegularChunks {
  readonly #single: boolean;
  readonly #choices = new Map<number, Choice>();
  /** The indexes of calls whose first piece was emitted. */
  readonly #places = new Map<StreamedCall, number>();
  /** The pieces that wait for the name of their call. */
  readonly #ids = new Set<string>();
  #held = 0;

  /**
   * @param single whether a single answer is requested: Copilot returns text and calls of Claude models as two choices
   */
  constructor(single: boolean) {
    this.#single = single;
  }

  /** Whether some call never received its name, so that it cannot be executed. */
  get lacksName(): boolean {
    return this.#held > 0;
  }

  /** Whether an answer without a finish reason ends with calls, as an empty finish reason indicates. */
  get endsWithCalls(): boolean {
    const choices = [...this.#choices.values()];
    return this.#places.size > 0 && choices.some(({ endsEmpty }) => endsEmpty);
  }

  /** @returns the same object if it is regular */
  chunk(value: JsonObject): JsonObject {
    const given = listOf(value.choices);
    const choices = given.map((choice) => (isObject(choice) ? this.#choice(choice) : choice));
    return choices.every((choice, at) => choice === given[at]) ? value : { ...value, choices };
  }

  #choice(choice: JsonObject): JsonObject {
    const index = numberOf(choice.index) ?? 0;
    const known = this.#known(index);
    if (known && choice.finish_reason !== undefined) known.endsEmpty = choice.finish_reason === '';
    // Some servers send only the message.
    const given = choice.delta ?? choice.message;
    if (!isObject(given)) return this.#placed(choice, index);
    if (known && stringOf(given.content)) known.says = true;
    const delta = this.#calls(regularReasoning(ofSnowflake(given)), known);
    return delta === choice.delta ? this.#placed(choice, index) : this.#placed({ ...choice, delta }, index);
  }

  #placed(choice: JsonObject, index: number): JsonObject {
    if (!this.#single || index === 0) return choice;
    // Two choices with text are two answers.
    const apart = this.#choices.get(index)?.says && this.#choices.get(0)?.says;
    return apart ? choice : { ...choice, index: 0 };
  }

  #known(index: number): Choice | undefined {
    const known = this.#choices.get(index);
    if (known || this.#choices.size >= MAX_CHOICES) return known;
    const choice = { calls: new CallList(), says: false, endsEmpty: false };
    this.#choices.set(index, choice);
    return choice;
  }

  #calls(delta: JsonObject, choice: Choice | undefined): JsonObject {
    if (!choice || !Array.isArray(delta.tool_calls)) return delta;
    const pieces = delta.tool_calls.filter(isObject).flatMap((piece) => this.#piece(choice.calls, piece));
    return { ...delta, tool_calls: pieces };
  }

  /** A regular piece; pieces before the name of a call are held back. */
  #piece(list: CallList, piece: JsonObject): JsonObject[] {
    const taken = list.take(piece);
    if (!taken) return [];
    const { call, begins, text } = taken;
    const place = this.#places.get(call);
    if (place !== undefined) {
      if (call.id !== undefined) this.#ids.add(call.id);
      return [{ ...piece, index: place, id: undefined, function: { arguments: text } }];
    }
    if (call.name === '') {
      // Without an id it is a piece of a call whose beginning was lost.
      if (call.id === undefined) return [piece];
      if (begins) this.#held += 1;
      return [];
    }
    if (!begins) this.#held -= 1;
    const { size } = this.#places;
    const isTaken = call.id === undefined || this.#ids.has(call.id);
    if (call.id !== undefined) this.#ids.add(call.id);
    this.#places.set(call, size);
    const fn = { name: call.name, arguments: call.arguments };
    return [{ ...piece, index: size, id: isTaken ? undefined : call.id, function: fn }];
  }
}

/** Some servers send an empty `reasoning_content` beside `reasoning`. @returns the same object otherwise */
export function regularReasoning(delta: JsonObject): JsonObject {
  if (delta.reasoning_content !== '' || !stringOf(delta.reasoning)) return delta;
  const { reasoning_content: _, ...rest } = delta;
  return rest;
}

/** Snowflake's `inference:complete` streams a call like Claude does. */
function ofSnowflake(delta: JsonObject): JsonObject {
  if (delta.type !== 'tool_use') return delta;
  const { tool_use_id: toolUseId, name, input } = { ...objectOf(listOf(delta.content_list)[0]), ...delta };
  const id = stringOf(toolUseId);
  const piece = { ...(id === undefined ? {} : { id }), function: { name, arguments: input } };
  return { tool_calls: [piece] };
}
