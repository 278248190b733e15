/** The columns of a dataset with HF `datasets`' names of types. */
import type { JsonObject } from '../../wire/json.ts';
import type { Column } from '../render/format.ts';

/** The features of the columns in the form that Parquet files contain. */
export function featuresOf(columns: readonly Column[]): JsonObject {
  return Object.fromEntries(columns.map((column) => [column.name, feature(column)]));
}

function feature({ type }: Column): JsonObject {
  if (type === 'jsons') return { feature: { _type: 'Json' }, _type: 'List' };
  if (type === 'json') return { _type: 'Json' };
  return { dtype: DTYPES[type], _type: 'Value' };
}

const DTYPES = { string: 'string', bool: 'bool', number: 'float64' } as const;

/**
 * The feature of a column as a line of a card: objects that differ must be declared as JSON, or the whole load fails.
 */
export function cardFeature({ name, type }: Column): string {
  if (type === 'jsons') return `{name: ${name}, list: json}`;
  return `{name: ${name}, dtype: ${type === 'json' ? 'json' : DTYPES[type]}}`;
}
