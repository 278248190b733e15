/** Checks that the parameters of a function are a JSON schema of draft 7, which services validate them by. */
import { isObject } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { isRawJSON, numberText } from '../../wire/long-numbers.ts';
import type { Problems } from './problems.ts';
import { at } from './problems.ts';

export interface SchemaRules {
  /** Whether the schema must be of an object with `properties`, and arrays must have `items`. */
  readonly contents?: true;
  /**
   * Whether schemas must be objects where draft 7 also allows true, false and, for `items`, a list, except for what is
   * not listed.
   */
  readonly objects?: true;
}

const TYPES: ReadonlySet<unknown> = new Set([
  'array',
  'boolean',
  'integer',
  'null',
  'number',
  'object',
  'string',
]);

const isText = (value: unknown) => typeof value === 'string';
const isFlag = (value: unknown) => typeof value === 'boolean';
const isNumber = (value: unknown) => numberText(value) !== undefined;
const isCount = (value: unknown) => isNumber(value) && Number(numberText(value)) >= 0 && isWhole(value);
const isWhole = (value: unknown) => Number.isInteger(Number(numberText(value)));
const isMap = (value: unknown): value is JsonObject => isObject(value) && !isRawJSON(value);
const isSchema = (value: unknown): value is JsonObject | boolean => isFlag(value) || isMap(value);
const isSet = (value: unknown, is: (item: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every(is) && new Set(value).size === value.length;

/** The keywords that a schema must use as intended, and what their values must be. Others may have any value. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => TYPES.has(value) || (isSet(value, (item) => TYPES.has(item)) && value.length > 0),
  required: (value) => isSet(value, isText),
  enum: Array.isArray,
  examples: Array.isArray,
  multipleOf: (value) => isNumber(value) && Number(numberText(value)) > 0,
  pattern: isPattern,
  ...of(isText, ['title', 'description', 'format', '$id', '$ref', '$schema', '$comment']),
  ...of(isFlag, ['uniqueItems', 'readOnly']),
  ...of(isNumber, ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']),
  ...of(isCount, ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']),
  ...of(isMap, ['properties', 'definitions', '$defs']),
  dependencies: (value) =>
    isMap(value) && Object.values(value).every((each) => isSchema(each) || isSet(each, isText)),
  patternProperties: (value) => isMap(value) && Object.keys(value).every(isPattern),
  ...of(isSchema, ['additionalProperties', 'additionalItems', 'contains', 'propertyNames']),
  ...of(isSchema, ['if', 'then', 'else', 'not']),
  ...of((value) => Array.isArray(value) && value.length > 0, ['allOf', 'anyOf', 'oneOf', 'prefixItems']),
  items: (value) => isSchema(value) || (Array.isArray(value) && value.length > 0),
};

/** Escapes that Python knows. */
const ESCAPES = /^(?:[^\\]|\\(?:[aAbBdDfnrsStvwWxZ]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^A-Za-z]))*$/s;
/** What only Python accepts, and what only JavaScript accepts. */
const PYTHON_FLAGS = /^\(\?[aiLmsux]+\)/;
const JAVASCRIPT_GROUP = /\(\?<(?![=!])/;

/** Whether it is a regular expression in Python, as the services are written in it. */
function isPattern(value: unknown): boolean {
  if (typeof value !== 'string' || !ESCAPES.test(value) || JAVASCRIPT_GROUP.test(value)) return false;
  try {
    return new RegExp(value.replace(PYTHON_FLAGS, '').replaceAll('(?P<', '(?<')) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Keywords whose values contain schemas: one, a list, or one per key. */
const PER_KEY = new Set(['properties', 'patternProperties', 'definitions', '$defs']);
const LISTS = ['allOf', 'anyOf', 'oneOf', 'items', 'prefixItems'];
/** Keywords that usually are true or false. */
const OPEN = new Set(['additionalProperties', 'additionalItems']);
const SINGLE = [
  'additionalProperties',
  'additionalItems',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
  'not',
];
const NESTED = [...PER_KEY, ...LISTS, ...SINGLE];

function of(
  is: (value: unknown) => boolean,
  keywords: readonly string[],
): Record<string, (value: unknown) => boolean> {
  return Object.fromEntries(keywords.map((keyword) => [keyword, is]));
}

/** Problems of the parameters of a function. */
export function schemaProblems(schema: JsonObject, path: string, rules: SchemaRules): Problems {
  const problems = nestedProblems(schema, path, rules);
  if (!rules.contents) return problems;
  if (schema.type !== 'object') problems.push(`${path}.type: expected "object"`);
  else if (schema.properties === undefined) problems.push(`${path}.properties: expected an object`);
  return problems;
}

function nestedProblems(schema: JsonObject, path: string, rules: SchemaRules): Problems {
  const problems: Problems = [];
  for (const [keyword, value] of Object.entries(schema))
    if (isInvalid(keyword, value))
      problems.push(
        `${at(path, keyword)}: ${JSON.stringify(value).slice(0, 80)} is not allowed in a JSON schema`,
      );
  if (rules.objects && Array.isArray(schema.items))
    problems.push(`${path}.items: expected an object, not a list, on which LLaMA-Factory fails`);
  if (rules.contents && lacksItems(schema)) problems.push(`${path}.items: expected for an array`);
  for (const { schema: inner, path: place } of schemasIn(schema)) {
    if (isMap(inner)) problems.push(...nestedProblems(inner, `${path}.${place}`, rules));
    else if (!isSchema(inner)) problems.push(`${path}.${place}: expected a schema`);
    else if (rules.objects && !OPEN.has(place))
      problems.push(`${path}.${place}: expected an object, not ${inner}, on which chat templates fail`);
  }
  return problems;
}

function isInvalid(keyword: string, value: unknown): boolean {
  return Object.hasOwn(KEYWORDS, keyword) && !KEYWORDS[keyword]!(value);
}

function lacksItems({ type, items }: JsonObject): boolean {
  return items === undefined && (type === 'array' || (Array.isArray(type) && type.includes('array')));
}

interface Nested {
  readonly schema: unknown;
  readonly path: string;
}

/** The schemas within valid keywords. */
function schemasIn(schema: JsonObject): Nested[] {
  return NESTED.flatMap((keyword): Nested[] => {
    const value = schema[keyword];
    if (value === undefined || isInvalid(keyword, value)) return [];
    if (Array.isArray(value))
      return value.map((inner: unknown, index) => ({ schema: inner, path: `${keyword}[${index}]` }));
    if (!PER_KEY.has(keyword)) return [{ schema: value, path: keyword }];
    return Object.entries(value as JsonObject).map(([key, inner]) => ({
      schema: inner,
      path: `${keyword}.${key}`,
    }));
  });
}

/**
 * The schema without what is not allowed in one, such as Python's names of types; what is missing is added. The same object
 * if nothing has to change.
 */
export function fittedSchema(schema: JsonObject, rules: SchemaRules): JsonObject {
  if (schemaProblems(schema, '', rules).length === 0) return schema;
  const fitted = fittedNested(schema, rules);
  if (!rules.contents) return fitted;
  return { ...fitted, type: 'object', properties: fitted.properties ?? {} };
}

function fittedNested(schema: JsonObject, rules: SchemaRules): JsonObject {
  const { type, required } = schema;
  const valid = Object.entries({
    ...schema,
    ...typeIn(type),
    ...requiredIn(required, schema.properties),
  }).filter(([keyword, value]) => !isInvalid(keyword, value));
  const fitted: JsonObject = Object.fromEntries(
    valid.map(([keyword, value]) => [
      keyword,
      NESTED.includes(keyword) ? fittedValue(keyword, value, rules) : value,
    ]),
  );
  if (rules.contents && lacksItems(fitted)) return { ...fitted, items: {} };
  if (!rules.objects || !Array.isArray(fitted.items)) return fitted;
  // The name of a tuple's list since draft 2020-12.
  const { items, ...others } = fitted;
  return { ...others, prefixItems: items };
}

/** Types in capitals, as Gemini's clients write them, in small letters. */
function typeIn(type: unknown): JsonObject {
  const small = typeof type === 'string' ? type.toLowerCase() : undefined;
  return TYPES.has(small) ? { type: small } : {};
}

/** The required properties, with those that say so themselves, as before the fourth draft. */
function requiredIn(required: unknown, properties: unknown): JsonObject {
  if (!isMap(properties)) return {};
  const own = Object.entries(properties).flatMap(([name, each]) =>
    isMap(each) && each.required === true ? [name] : [],
  );
  const others = isSet(required, isText) ? required : [];
  return own.length > 0 ? { required: [...new Set([...others, ...own])] } : {};
}

function fittedValue(keyword: string, value: unknown, rules: SchemaRules): unknown {
  if (Array.isArray(value)) return value.map((inner: unknown) => fittedInner(inner, rules));
  if (OPEN.has(keyword) && typeof value === 'boolean') return value;
  if (!PER_KEY.has(keyword)) return fittedInner(value, rules);
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, inner]) => [key, fittedInner(inner, rules)]),
  );
}

/** Anything is replaced by a schema that allows any value. */
function fittedInner(value: unknown, rules: SchemaRules): unknown {
  if (isMap(value)) return fittedNested(value, rules);
  if (typeof value === 'boolean' && !rules.objects) return value;
  return value === false ? { not: {} } : {};
}
