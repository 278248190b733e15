/**
 * A provider may run several inferences for one answer: one that condenses the conversation, or that of an adviser,
 * which is another model. Their tokens are part of the usage, and each has a price of its own.
 */
import type { Usage } from './usage.ts';
import { isObject, listOf, stringOf } from './json.ts';
import { decodeUnits, encodeUnits, sumOf, tokenCount } from './units.ts';

/** An inference besides those that wrote the answer. */
export interface Iteration {
  /** The model; `undefined` if it is the one that answered. */
  readonly model: string | undefined;
  readonly usage: Usage;
}

/** Iterations in the form of the request log, and of a usage in OpenAI's format. */
export interface IterationRecord {
  model: string | null;
  input_tokens: number;
  cached_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  units?: Record<string, number>;
}

/** More than a provider runs for one answer; further ones count as part of the answer. */
const MOST_ITERATIONS = 64;

/** The iterations of a sum of usages. */
export function iterationsOf(...usages: readonly Usage[]): Pick<Usage, 'iterations'> {
  const all = usages.flatMap(({ iterations = [] }) => iterations);
  return all.length === 0 ? {} : { iterations: all.slice(0, MOST_ITERATIONS) };
}

/** A usage with these iterations as a part of it. */
export function withIterations(usage: Usage, iterations: readonly Iteration[]): Usage {
  if (iterations.length === 0) return usage;
  const usages = [usage, ...iterations.map((iteration) => iteration.usage)];
  const total = (name: Count) => sumOf(...usages.map((each) => each[name] ?? 0));
  const written = total('cacheWrite1h');
  return {
    ...usage,
    input: total('input'),
    cached: total('cached'),
    cacheWrite: total('cacheWrite'),
    output: total('output'),
    reasoning: total('reasoning'),
    ...(written > 0 ? { cacheWrite1h: written } : {}),
    iterations: iterations.slice(0, MOST_ITERATIONS),
  };
}

type Count = 'input' | 'cached' | 'cacheWrite' | 'output' | 'reasoning' | 'cacheWrite1h';

/** What the answer itself used. */
export function withoutIterations({ iterations = [], ...usage }: Usage): Usage {
  const rest = (name: Count) =>
    iterations.reduce(
      (left, iteration) => Math.max(0, left - (iteration.usage[name] ?? 0)),
      usage[name] ?? 0,
    );
  const written = rest('cacheWrite1h');
  const { cacheWrite1h: _, ...others } = usage;
  return {
    ...others,
    input: rest('input'),
    cached: rest('cached'),
    cacheWrite: rest('cacheWrite'),
    output: rest('output'),
    reasoning: rest('reasoning'),
    ...(written > 0 ? { cacheWrite1h: written } : {}),
  };
}

/** @returns `undefined` if there are none */
export function encodeIterations({ iterations }: Usage): IterationRecord[] | undefined {
  return iterations?.map(({ model, usage }) => {
    const units = encodeUnits(usage);
    return {
      model: model ?? null,
      input_tokens: usage.input,
      cached_tokens: usage.cached,
      cache_write_tokens: usage.cacheWrite,
      output_tokens: usage.output,
      ...(units ? { units } : {}),
    };
  });
}

/** Reads iterations from the request log, or from a usage in OpenAI's format. */
export function decodeIterations(value: unknown): Pick<Usage, 'iterations'> {
  const iterations = listOf(value)
    .filter(isObject)
    .map((record) => ({
      model: stringOf(record.model),
      usage: {
        input: tokenCount(record.input_tokens) ?? 0,
        cached: tokenCount(record.cached_tokens) ?? 0,
        cacheWrite: tokenCount(record.cache_write_tokens) ?? 0,
        output: tokenCount(record.output_tokens) ?? 0,
        reasoning: 0,
        ...decodeUnits(record.units),
      },
    }));
  return iterations.length === 0 ? {} : { iterations: iterations.slice(0, MOST_ITERATIONS) };
}
