import type { Steps } from '../../turns.ts';
import { isJsonText } from '../../wire/json-in-text.ts';
import { JsonPlace } from './json-place.ts';
import { PLACEHOLDER } from './placeholders.ts';

/** The kind of a text: words, or JSON, in which values must be escaped. */
export type TextForm = 'text' | 'json';

/** The beginning of a text that is an object in JSON, or a list of them. */
const JSON_BEGINNING = /^\s*(?:\[\s*){0,8}\{\s*"/;

/** The beginning of a text in quotes, which is JSON by chance only. */
const QUOTED = /^\s*"/;

/** How much of the beginning of a text tells whether it is JSON, characters. */
const MOST_BEGINNING = 64;

/** What is written differently in JSON. */
const ESCAPED = /["\\\p{Cc}\p{Surrogate}]/u;

/** The beginning of a placeholder that contains a part of its number. */
const NUMBERED = /^(\[[A-Z][A-Z0-9_]{0,40}_)([1-9]\d{0,5})$/;

/** How many values are taken between two pauses. */
const STRIDE = 4_096;

type Values = readonly (readonly [placeholder: string, value: string])[];

/** Replaces placeholders with the values that they stand for. */
export class Restorer {
  readonly #values = new Map<string, string>();
  /** The largest numbers of placeholders, by what precedes the number. */
  readonly #largest = new Map<string, number>();
  /** All beginnings of what precedes the number. Created for the first stream. */
  #beginnings: ReadonlySet<string> | undefined;
  #escapes = false;

  constructor(values: Values) {
    this.#add(values);
  }

  /** One for many values, which takes some time. */
  static *inSteps(values: Values): Steps<Restorer> {
    const restorer = new Restorer([]);
    for (let at = 0; at < values.length; at += STRIDE) {
      restorer.#add(values.slice(at, at + STRIDE));
      yield;
    }
    return restorer;
  }

  #add(values: Values): void {
    for (const [placeholder, value] of values) {
      this.#values.set(placeholder, value);
      const at = placeholder.lastIndexOf('_') + 1;
      const before = placeholder.slice(0, at);
      const number = Number(placeholder.slice(at, -1));
      if (number > (this.#largest.get(before) ?? 0)) this.#largest.set(before, number);
      this.#escapes ||= ESCAPED.test(value);
    }
  }

  /** Whether some value looks different in JSON. */
  get escapes(): boolean {
    return this.#escapes;
  }

  /** Whether a text contains a placeholder. */
  occursIn(text: string): boolean {
    if (!text.includes('[')) return false;
    for (const [found] of text.matchAll(PLACEHOLDER)) if (this.#values.has(found)) return true;
    return false;
  }

  /** Restores a complete text. */
  text(text: string, form: TextForm): string {
    if (!this.occursIn(text)) return text;
    const isJson = this.escapes && (form === 'json' || (isJsonText(text) && !QUOTED.test(text)));
    return this.restored(text, isJson ? new JsonPlace() : undefined);
  }

  /** Starts to restore a text that arrives in pieces. */
  pieces(form: TextForm): RestoredPieces {
    return new RestoredPieces(this, form);
  }

  /** @param place where the text begins within JSON; it moves to the end of the text */
  restored(text: string, place: JsonPlace | undefined): string {
    let out = '';
    let from = 0;
    for (const { 0: found, index } of text.matchAll(PLACEHOLDER)) {
      const value = this.#values.get(found);
      if (value === undefined) continue;
      const before = text.slice(from, index);
      place?.move(before);
      out += before + (place ? escapedTimes(value, place.levels) : value);
      // If a string begins like JSON, the text after the value is no longer its beginning.
      place?.move(found);
      from = index + found.length;
    }
    const rest = text.slice(from);
    place?.move(rest);
    return out + rest;
  }

  /** The length of the end of a text that may be the beginning of a placeholder. */
  unfinished(text: string): number {
    const at = text.lastIndexOf('[');
    if (at < 0) return 0;
    return this.#begins(text.slice(at)) ? text.length - at : 0;
  }

  #begins(text: string): boolean {
    this.#beginnings ??= new Set(Array.from(this.#largest.keys()).flatMap(beginningsOf));
    if (this.#beginnings.has(text)) return true;
    const [, before = '', number] = NUMBERED.exec(text) ?? [];
    if (this.#values.has(`${text}]`)) return true;
    // The numbers of a kind have hardly any gaps: there is one that continues with another digit.
    return 10 * Number(number) <= (this.#largest.get(before) ?? 0);
  }

  /** The reverse: replaces the values with their placeholders. */
  hidden(text: string): string {
    let hidden = text;
    for (const [placeholder, value] of this.#values)
      if (hidden.includes(value)) hidden = hidden.replaceAll(value, () => placeholder);
    return hidden;
  }
}

/** A text that arrives in pieces. Only what may be the beginning of a placeholder is held back. */
export class RestoredPieces {
  readonly #restorer: Restorer;
  #held = '';
  /** The place within JSON; `undefined` if values need not be escaped. */
  #place: JsonPlace | undefined;
  /** The beginning of the text, as long as it does not tell whether the text is JSON. */
  #beginning: string | undefined;

  constructor(restorer: Restorer, form: TextForm) {
    this.#restorer = restorer;
    if (!restorer.escapes) return;
    if (form === 'json') this.#place = new JsonPlace();
    else this.#beginning = '';
  }

  /** Whether something is held back. */
  get holds(): boolean {
    return this.#held !== '';
  }

  /** What can be passed on once this piece has arrived. */
  push(piece: string): string {
    const text = this.#held + piece;
    const unfinished = this.#restorer.unfinished(text);
    this.#held = unfinished === 0 ? '' : text.slice(-unfinished);
    const finished = unfinished === 0 ? text : text.slice(0, -unfinished);
    if (this.#beginning !== undefined) this.#begin(this.#beginning, finished);
    return this.#place || finished.includes('[') ? this.#restorer.restored(finished, this.#place) : finished;
  }

  /** The text is complete: what was held back. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  /** Decides whether the text is JSON, as soon as its beginning tells. */
  #begin(before: string, text: string): void {
    const beginning = (before + text).slice(0, MOST_BEGINNING);
    if (JSON_BEGINNING.test(beginning)) {
      this.#place = new JsonPlace();
      this.#place.move(before);
    }
    const isTold =
      this.#place !== undefined || /[^\s[{]/.test(beginning) || beginning.length >= MOST_BEGINNING;
    this.#beginning = isTold ? undefined : beginning;
  }
}

function escapedTimes(value: string, times: number): string {
  let text = value;
  for (let time = 0; time < times; time += 1) text = escaped(text);
  return text;
}

function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** "[", "[E", ..., and the whole. */
function beginningsOf(before: string): string[] {
  return Array.from({ length: before.length }, (_, length) => before.slice(0, length + 1));
}
