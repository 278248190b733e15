import type { JsonObject } from '../json.ts';
import { isObject, listOf } from '../json.ts';

/**
 * What Claude compiles for one request at most; more is a 400. It counts for strict tools and structured output
 * together.
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#schema-complexity-limits
 */
const LIMITS: Cost = { tools: 20, optional: 24, unions: 16 };

interface Cost {
  tools: number;
  /** Properties that are not required. */
  optional: number;
  /** Properties of several types: `anyOf`, or a list of types. */
  unions: number;
}

/** Grants the schemas of a request, in order, as long as they are within Claude's limits. */
export class SchemaBudget {
  readonly #left: Cost;

  private constructor(left: Cost) {
    this.#left = left;
  }

  static ofClaude(): SchemaBudget {
    return new SchemaBudget({ ...LIMITS });
  }

  static unlimited(): SchemaBudget {
    return new SchemaBudget({ tools: Infinity, optional: Infinity, unions: Infinity });
  }

  /** @param schema closed; `undefined` is passed on @returns `undefined` if it exceeds what is left */
  grant(schema: JsonObject | undefined, of: 'tool' | 'answer'): JsonObject | undefined {
    if (!schema) return undefined;
    const cost: Cost = { tools: of === 'tool' ? 1 : 0, optional: 0, unions: 0 };
    addCost(schema, cost);
    const names = ['tools', 'optional', 'unions'] as const;
    if (names.some((name) => cost[name] > this.#left[name])) return undefined;
    for (const name of names) this.#left[name] -= cost[name];
    return schema;
  }
}

/** Definitions count once, however often they are referred to. */
function addCost(schema: unknown, cost: Cost): void {
  if (!isObject(schema)) return;
  const { properties, required, anyOf, type, items, $defs, definitions } = schema;
  if (Array.isArray(anyOf) || Array.isArray(type)) cost.unions += 1;
  const inner = [items, ...listOf(anyOf)];
  for (const named of [properties, $defs, definitions])
    if (isObject(named)) inner.push(...Object.values(named));
  if (isObject(properties)) {
    const needed = new Set(listOf(required));
    cost.optional += Object.keys(properties).filter((name) => !needed.has(name)).length;
  }
  for (const each of inner) addCost(each, cost);
}
