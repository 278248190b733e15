import { holdsRounded, loadable } from '../conversation/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Entry } from './facts.ts';

/** The metadata of a row, which tell its origin; unknown fields are omitted. */
export function metadataOf(entry: Entry, level: 'min' | 'full'): JsonObject {
  const { id, ts, model, provider } = entry;
  const min = { id, ts, model, provider };
  if (level === 'min') return known(min);
  const { endpoint, finish, inputTokens, outputTokens, cost, latencyMs, conversation, user, tags } = entry;
  return known({
    ...min,
    upstream_model: entry.upstreamModel,
    endpoint,
    finish,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cost,
    latency_ms: latencyMs,
    key: entry.key,
    conversation,
    user,
    ...(Object.keys(tags).length > 0 ? { tags } : {}),
  });
}

function known(fields: JsonObject): JsonObject {
  const some = Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== null && value !== undefined && value !== '' && value !== Infinity && value !== -Infinity,
    ),
  );
  return holdsRounded(some) ? (loadable(some) as JsonObject) : some;
}
