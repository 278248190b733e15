import type { Iteration } from '../iterations.ts';
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { withIterations } from '../iterations.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { reportedCost } from '../reported-cost.ts';
import { tiersOf } from '../reported-tiers.ts';
import { toolCalls } from '../reported-tools.ts';
import { addUsage, plainUsage } from '../usage.ts';
import { sumOf, tokenCount, unitsOf } from '../units.ts';

/**
 * Anthropic's usage, normalised: its `input_tokens` excludes cached tokens, and its counts exclude the iterations that
 * did not write the answer.
 */
export function anthropicUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const counted = countsOf(value);
  if (!counted || value.iterations === undefined) return counted;
  const { own, others } = iterationsIn(value.iterations);
  // A stream reports the first iteration when it starts, so that the list is the better source.
  return withIterations(own ? { ...counted, ...own } : counted, others);
}

function countsOf(value: JsonObject): Usage | undefined {
  const plain = tokenCount(value.input_tokens);
  const output = tokenCount(value.output_tokens);
  if (plain === undefined && output === undefined) return undefined;
  const cached = tokenCount(value.cache_read_input_tokens) ?? 0;
  const cacheWrite = tokenCount(value.cache_creation_input_tokens) ?? 0;
  return {
    input: sumOf(plain ?? 0, cached, cacheWrite),
    cached,
    cacheWrite,
    output: output ?? 0,
    reasoning: tokenCount(objectOf(value.output_tokens_details).thinking_tokens) ?? 0,
    ...unitsOf({
      cacheWrite1h: Math.min(
        tokenCount(objectOf(value.cache_creation).ephemeral_1h_input_tokens) ?? 0,
        cacheWrite,
      ),
    }),
    ...toolCalls(value),
    ...tiersOf(value.speed, value.inference_geo),
    ...reportedCost(value),
  };
}

/**
 * The usage of the iterations that wrote the answer, and the others: the compaction of the conversation, and an adviser.
 * If another model took over, the answer has its price, and what the first one wrote before it refused is charged as
 * well; a refusal without any output is free.
 * @see https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage
 * @see https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
 */
function iterationsIn(value: unknown): { own: Counts | undefined; others: Iteration[] } {
  const others: Iteration[] = [];
  const written: Iteration[] = [];
  let tookOver: Iteration | undefined;
  for (const each of listOf(value).filter(isObject)) {
    const usage = countsOf(each);
    if (!usage) continue;
    const iteration = { model: stringOf(each.model), usage };
    if (each.type === 'message') written.push(iteration);
    else if (each.type === 'fallback_message') tookOver = iteration;
    else others.push(iteration);
  }
  if (tookOver) {
    const refused = written.filter(({ usage }) => usage.output > 0);
    return { own: { ...plainUsage(0, 0), cacheWrite1h: 0 }, others: [...others, ...refused, tookOver] };
  }
  const own = written.map(({ usage }) => usage).reduce<Usage | undefined>(addUsage, undefined);
  if (!own) return { own: undefined, others };
  const { input, cached, cacheWrite, output } = own;
  return { own: { input, cached, cacheWrite, output }, others };
}

type Counts = Pick<Usage, 'input' | 'cached' | 'cacheWrite' | 'cacheWrite1h' | 'output'>;
