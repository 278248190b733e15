/** One way to break the project, which the measure of recorded traffic must notice. */

import type { Aspect } from '../answers/compare.ts';

/** A change of one place in `src`. */
export interface Edit {
  /** Below `src`. */
  readonly file: string;
  /** Found once, exactly as it stands there. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutation {
  readonly name: string;
  /** What must be found wrong, so that it is not noticed by chance. */
  readonly aspect: Aspect | readonly Aspect[];
  readonly edits: readonly Edit[];
}

/** Some places changed. */
export function edit(name: string, aspect: Mutation['aspect'], ...edits: readonly Edit[]): Mutation {
  return { name, aspect, edits };
}

/** Where what is asked and answered is translated. */
export const LANE = 'pipeline/lanes/translate.ts';

/** The first declaration of that file, before which functions are inserted. */
const TABLE = 'export const PROTOCOLS: ';

/** `walk` calls the visitor for each object and list, the inner ones first, and gives back what it makes of them. */
const WALK = `
function walk(value: any, visit: (value: any) => any): any {
  if (Array.isArray(value)) return visit(value.map((each) => walk(each, visit)));
  if (typeof value !== 'object' || value === null) return value;
  return visit(Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each, visit)])));
}
`;

/**
 * What every provider of another protocol than the client's is asked.
 * @param visit the body of a function of `value`, an object or a list, that gives back another in its place
 */
export function asking(name: string, visit: string, aspect: Aspect = 'request'): Mutation {
  return {
    name,
    aspect,
    edits: [
      {
        file: LANE,
        find: 'yield* writeBody(changed?.body ?? encoded.body, inbound.bytes.length)',
        replace: 'yield* writeBody(walk(changed?.body ?? encoded.body, mutated), inbound.bytes.length)',
      },
      { file: LANE, find: TABLE, replace: `${WALK}${mutated(visit)}${TABLE}` },
    ],
  };
}

/** What every client of another protocol than the provider's is answered, whole and streamed. @param visit as above */
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
        find: 'yield* writeBody(written, text.length)',
        replace: 'yield* writeBody(walk(written, mutated), text.length)',
      },
      {
        file: LANE,
        find: 'this.#encoder.encode(text)',
        replace: 'this.#encoder.encode(eventsMutated(text))',
      },
      {
        file: LANE,
        find: TABLE,
        replace: `${WALK}${mutated(visit)}${events}${TABLE}`,
      },
    ],
  };
}

function mutated(visit: string): string {
  return `function mutated(value: any): any { ${visit} }\n`;
}
