import type { EventLog } from './events.ts';

/** The rules, by number. */
export const RULES = {
  1: 'no request fails while a target that would have answered was free and known good',
  2: 'a fault keeps no request from what it does not cover',
  3: 'a target that came back is used again within 15 s',
  4: 'when all targets are out, one request at a time is let through about once a second',
  5: 'a target that is down is not hammered',
  6: 'one honest record a request, one honest end, in time',
  7: 'no defect of the proxy itself',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly atMs: number;
  readonly what: string;
  /** The last events about the same subjects. */
  readonly events: readonly string[];
}

/** How many violations of each kind keep their events; others are only counted. */
const SHOWN = 2;

const EVENTS = 60;

export class Violations {
  readonly list: Violation[] = [];
  readonly #seen = new Set<string>();
  readonly #events: EventLog;

  constructor(events: EventLog) {
    this.#events = events;
  }

  /**
   * Adds a violation.
   * @param cause violations with the same cause count as one
   * @param about tags of the events that led to it
   */
  add(rule: Rule, atMs: number, what: string, { cause, about }: { cause: string; about: readonly string[] }) {
    if (this.#seen.has(`${rule} ${cause}`)) return;
    this.#seen.add(`${rule} ${cause}`);
    const sort = sortOf(what);
    const shown = this.list.filter((each) => each.rule === rule && sortOf(each.what) === sort).length < SHOWN;
    this.list.push({ rule, atMs, what, events: shown ? this.#events.last(about, EVENTS) : [] });
    this.#events.add(`VIOLATION of rule ${rule}: ${what}`, ` ${about.join(' ')} `);
  }
}

/** The text of a violation without the names and numbers of its case. */
export function sortOf(what: string): string {
  return what
    .replaceAll(/\br\d+\b|\bp\d+\/\w+|\d[\d.]* (?=ms\b|s\b|requests|records|calls|timers|of its)/g, '~ ')
    .replaceAll(/"[^"]*"/g, '"~"')
    .replaceAll(/~ +/g, '~ ');
}
