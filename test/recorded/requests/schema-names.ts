import { objectOf } from '../read/json.ts';

/** The names of a tool's parameters, wherever a vendor puts them. */
export function propertiesOf(schema: unknown): string[] {
  return Object.keys(objectOf(objectOf(schema).properties)).toSorted();
}
