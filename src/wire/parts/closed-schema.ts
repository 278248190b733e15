import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Keywords that are kept as they are. */
const KEPT = new Set(['title', 'description', 'default']);

/** Keywords that constrain nothing. */
const SILENT = new Set(['$schema', '$id', '$comment', 'readOnly', 'writeOnly', 'deprecated']);

/**
 * Keywords without which a schema would have another structure. What fits several closed objects at once has no
 * property that one of them lacks, so that `allOf` is among them.
 */
const STRUCTURAL = new Set([
  'allOf',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'prefixItems',
  'patternProperties',
  'propertyNames',
  'dependentSchemas',
  'unevaluatedItems',
  'unevaluatedProperties',
  '$anchor',
  '$dynamicRef',
]);

const TYPES = new Set<unknown>(['object', 'array', 'string', 'integer', 'number', 'boolean', 'null']);

const FORMATS = new Set<unknown>([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

const MAX_DEPTH = 32;

const DEFINITION = /^#\/(?:\$defs|definitions)\/([^/]+)$/;

/**
 * Converts a JSON Schema to the subset that Anthropic and Bedrock accept for structured output and strict tools, and
 * outside of which they reject a request: every object is closed, and limits of numbers, texts and lists are only
 * mentioned in the description. An answer that fits the result also has the structure of the given schema.
 * @returns `undefined` if the subset cannot express it: it composes objects, has objects with arbitrary keys, or contains
 * itself
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function closedSchema(schema: unknown): JsonObject | undefined {
  if (!isObject(schema)) return undefined;
  const closing = new Closing();
  const made = closing.close(schema);
  return closing.fits && !containsItself(closing.references) ? made : undefined;
}

class Closing {
  /** Whether everything could be expressed. */
  fits = true;
  /** The names that each definition refers to; those outside of definitions are under an empty name. */
  readonly references = new Map<string, Set<string>>();
  #definition = '';

  close(given: unknown, depth = 0): JsonObject {
    if (!isObject(given) || depth > MAX_DEPTH) return this.#fail();
    const schema = withOneForm(given);
    if (typeof schema.$ref === 'string') {
      // Nothing else may narrow what it refers to.
      if (Object.keys(schema).some((name) => name !== '$ref' && !OF_WHOLE.has(name))) this.#fail();
      return { ...this.#definitions(schema, depth), ...this.#refer(schema.$ref) };
    }
    const made: JsonObject = {};
    const limits: string[] = [];
    for (const [name, value] of Object.entries(schema)) {
      if (STRUCTURAL.has(name)) this.#fail();
      else if (KEPT.has(name)) made[name] = value;
      else if (!this.#keyword(made, name, value, { schema, depth }) && !SILENT.has(name))
        limits.push(`${name}: ${JSON.stringify(value)}`);
    }
    if (made.type === 'object') made.additionalProperties = false;
    if (limits.length > 0) {
      const said = stringOf(made.description);
      made.description = `${said ? `${said}\n\n` : ''}{${limits.join(', ')}}`;
    }
    const isTyped = ['type', 'enum', 'const', 'anyOf'].some((name) => name in made);
    const isWhole = made.type !== 'object' || 'properties' in made;
    return isTyped && isWhole && (made.type !== 'array' || 'items' in made) ? made : this.#fail();
  }

  /** Adds a keyword. @returns false for one that is not in the subset */
  #keyword(
    made: JsonObject,
    name: string,
    value: unknown,
    { schema, depth }: { readonly schema: JsonObject; readonly depth: number },
  ): boolean {
    const inner = (each: unknown) => this.close(each, depth + 1);
    switch (name) {
      case 'type':
        if (![value].flat().every((each) => TYPES.has(each))) this.#fail();
        if (!('enum' in schema) && !('const' in schema)) made.type = value;
        return true;
      case 'enum':
        if (!listOf(value).every(isScalar) || listOf(value).length === 0) this.#fail();
        made.enum = value;
        return true;
      case 'const':
        if (!isScalar(value)) this.#fail();
        made.const = value;
        return true;
      case 'properties':
        made.properties = this.#each(value, depth);
        return true;
      case 'required':
        if (!Array.isArray(value)) return false;
        if (!value.every((each) => Object.hasOwn(objectOf(schema.properties), String(each)))) this.#fail();
        made.required = value;
        return true;
      case 'additionalProperties':
        if (isObject(value) || (value === true && !hasKeys(schema.properties))) this.#fail();
        return true;
      case 'items':
        made.items = inner(value);
        return true;
      case 'anyOf':
      case 'oneOf':
        // Closed objects are not combined with others, see `allOf`.
        if ('properties' in schema || 'items' in schema || 'anyOf' in made) this.#fail();
        made.anyOf = listOf(value).map(inner);
        return true;
      case '$defs':
      case 'definitions':
        Object.assign(made, this.#definitions({ [name]: value }, depth));
        return true;
      case 'format':
        if (!FORMATS.has(value)) return false;
        made.format = value;
        return true;
      case 'minItems':
        if (value !== 0 && value !== 1) return false;
        made.minItems = value;
        return true;
      default:
        return false;
    }
  }

  #definitions(schema: JsonObject, depth: number): JsonObject {
    const made: JsonObject = {};
    for (const place of ['$defs', 'definitions']) {
      if (!isObject(schema[place])) continue;
      // Definitions within a definition are too rare to be told apart.
      if (depth > 0) this.#fail();
      made[place] = Object.fromEntries(
        Object.entries(schema[place]).map(([name, value]) => {
          this.#definition = name;
          const closed = this.close(value, depth + 1);
          this.#definition = '';
          return [name, closed];
        }),
      );
    }
    return made;
  }

  #refer(reference: string): JsonObject {
    const name = DEFINITION.exec(reference)?.[1];
    if (name === undefined) return this.#fail();
    const known = this.references.get(this.#definition) ?? new Set();
    this.references.set(this.#definition, known.add(name));
    return { $ref: reference };
  }

  #each(properties: unknown, depth: number): JsonObject {
    if (!isObject(properties)) return this.#fail();
    return Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, this.close(value, depth + 1)]),
    );
  }

  #fail(): JsonObject {
    this.fits = false;
    return {};
  }
}

/** Keywords of objects and of lists. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'minItems', 'maxItems', 'uniqueItems'],
};

/** Keywords about a value of any type. */
const OF_WHOLE = new Set([...KEPT, ...SILENT, '$defs', 'definitions']);

/**
 * A schema whose type is told, and is a single one where the subset needs to know it: an object or a list that may also
 * be `null` becomes a choice. A composition of one schema becomes that schema.
 */
function withOneForm(given: JsonObject): JsonObject {
  const { allOf, ...alone } = given;
  const [only, second] = listOf(allOf);
  const isOne = isObject(only) && second === undefined && !contradicts(alone, only);
  const schema = isOne ? { ...alone, ...only } : given;
  const { type, ...rest } = schema;
  if (type === undefined && isObject(schema.properties)) return { type: 'object', ...schema };
  const types = listOf(type);
  if (types.length === 1) return { ...rest, type: types[0] };
  if (!types.some((each) => Object.hasOwn(OF_TYPE, String(each)))) return schema;
  const own = Object.entries(rest).filter(([name]) => !OF_WHOLE.has(name));
  const choices = types.map((each) => {
    const others = Object.entries(OF_TYPE).flatMap(([name, words]) => (name === each ? [] : words));
    return { type: each, ...Object.fromEntries(own.filter(([name]) => !others.includes(name))) };
  });
  const whole = Object.entries(rest).filter(([name]) => OF_WHOLE.has(name));
  return { ...Object.fromEntries(whole), anyOf: choices };
}

/** Whether a keyword that both have constrains them differently. */
function contradicts(one: JsonObject, other: JsonObject): boolean {
  return Object.keys(other).some(
    (name) =>
      Object.hasOwn(one, name) &&
      !KEPT.has(name) &&
      !SILENT.has(name) &&
      JSON.stringify(one[name]) !== JSON.stringify(other[name]),
  );
}

function hasKeys(value: unknown): boolean {
  return Object.keys(objectOf(value)).length > 0;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

/** Whether a definition refers to itself, directly or through others. */
function containsItself(references: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const users = new Map<string, string[]>();
  const left = new Map<string, number>();
  for (const [name, to] of references) {
    const others = [...to].filter((each) => references.has(each));
    left.set(name, others.length);
    for (const each of others) {
      const known = users.get(each);
      if (known) known.push(name);
      else users.set(each, [name]);
    }
  }
  const ended = [...left.keys()].filter((name) => left.get(name) === 0);
  for (const name of ended) {
    for (const user of users.get(name) ?? []) {
      left.set(user, left.get(user)! - 1);
      // It is visited later in this loop.
      if (left.get(user) === 0) ended.push(user);
    }
  }
  return ended.length < references.size;
}
