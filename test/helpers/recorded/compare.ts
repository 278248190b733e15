import { parseJson } from '../../../src/wire/json.ts';

/** What differs, shortened, for people. */
export function differences(what: string, given: unknown, wanted: unknown): string[] {
  if (Bun.deepEquals(given, wanted)) return [];
  return [`${what} is ${shown(given)}, not ${shown(wanted)}`];
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 200);
}

/** Arguments as a value; models and vendors leave out those of a tool that takes none. */
export function argumentsOf(text: string): unknown {
  return parseJson(text && text !== 'null' ? text : '{}');
}
