/** One way to break the project, which the checks of recorded traffic must notice. */

import type { Aspect } from '../answers/compare.ts';

/** A change of one place in `src`. */
export interface Edit {
  /** The path below `src`. */
  readonly file: string;
  /** The text to replace, which must occur exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutation {
  readonly name: string;
  /** What must be found wrong, so that the mutation is not noticed by coincidence. */
  readonly aspect: Aspect | readonly Aspect[];
  readonly edits: readonly Edit[];
}

/** A mutation that changes some places. */
export function edit(name: string, aspect: Mutation['aspect'], ...edits: readonly Edit[]): Mutation {
  return { name, aspect, edits };
}

/** The file that translates requests and whole answers. */
const LANE = 'pipeline/lanes/translate.ts';

/** The file that translates streams. */
export const FOLD = 'pipeline/lanes/translate-fold.ts';

/** The first declaration in that file, before which functions are inserted. */
const TABLE = 'export const PROTOCOLS: ';

/** The file that collects and encodes the events of translated streams. */
const EVENTS = 'wire/long-events.ts';

/** The class in it, before which functions are inserted. */
const CLASS = 'export class EventList ';

/** `walk` calls the visitor for each object and list, the inner ones first, and returns what it makes of them. */
const WALK = `
function walk(value: any, visit: (value: any) => any): any {
  if (Array.isArray(value)) return visit(value.map((each) => walk(each, visit)));
  if (typeof value !== 'object' || value === null) return value;
  return visit(Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each, visit)])));
}
`;

/**
 * A mutation of the requests to every provider whose protocol is not the client's.
 * @param visit the body of a function of `value`, an object or a list, that returns its replacement
 */
export function asking(name: string, visit: string, aspect: Aspect = 'request'): Mutation {
  return {
    name,
    aspect,
    edits: [
      {
        file: LANE,
        find: 'yield* writeBody(changed?.body ?? encoded.body)',
        replace: 'yield* writeBody(walk(changed?.body ?? encoded.body, mutated))',
      },
      { file: LANE, find: TABLE, replace: `${WALK}${mutated(visit)}${TABLE}` },
    ],
  };
}

/**
 * A mutation of the answers to every client whose protocol is not the provider's, unstreamed and streamed. @param visit
 * as above
 */
export function answering(name: string, aspect: Aspect, visit: string): Mutation {
  const events = `
function eventsMutated(text: string): string {
  return text.replace(/^data: (\\{.*)$/gm, (_, json) => 'data: ' + JSON.stringify(walk(JSON.parse(json), mutated)));
}
`;
  return {
    name,
    aspect,
    edits: [
      {
        file: LANE,
        find: 'yield* writeBody(written)',
        replace: 'yield* writeBody(walk(written, mutated))',
      },
      {
        file: EVENTS,
        find: 'encoder.encode(this.#text)',
        replace: 'encoder.encode(eventsMutated(this.#text))',
      },
      { file: LANE, find: TABLE, replace: `${WALK}${mutated(visit)}${TABLE}` },
      { file: EVENTS, find: CLASS, replace: `${WALK}${mutated(visit)}${events}${CLASS}` },
    ],
  };
}

function mutated(visit: string): string {
  return `function mutated(value: any): any { ${visit} }\n`;
}
