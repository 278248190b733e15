import type { OutwardRule } from '../config/schema/redaction.ts';
import type { Steps, Turns } from '../turns.ts';
import type { JsonObject } from '../wire/json.ts';
import type { ReplayMemory } from '../wire/protocol.ts';
import type { Redacted } from '../redact/outward/redact-request.ts';
import type { Inbound } from './inbound.ts';
import type { Restorer } from '../redact/outward/restorer.ts';
import { restoredInSteps } from '../redact/outward/restore-answer.ts';
import { ProxyError } from '../errors.ts';
import { decodeInSteps, encodeInSteps } from '../wire/bytes.ts';
import { exactly } from '../wire/json-exact.ts';
import { parseInSteps } from '../wire/json-steps.ts';
import { writeJson } from '../wire/json-write.ts';
import { ANSWER_BOUNDS, isObject, stringOf } from '../wire/json.ts';
import { tokenLists } from '../wire/openai/embeddings.ts';
import { summaryOf, summaryText } from '../wire/responses/compaction.ts';
import { findModel } from '../wire/splice.ts';

/** Redacts a request on another thread. @throws ProxyError `unredactable`, `redaction_failed` */
export type Redact = (
  body: Uint8Array<ArrayBuffer>,
  rule: OutwardRule,
  asker: {
    /** The name of the client's key; `null` without one. */
    readonly caller: string | null;
    readonly signal: AbortSignal;
  },
) => Promise<Redacted>;

export interface RedactionDeps {
  readonly redact: Redact;
  readonly readTokens: (
    lists: readonly (readonly number[])[],
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
  readonly turns: Turns;
}

/** A request that may be sent. */
export interface RedactedInbound extends Pick<Redacted, 'values' | 'counts'> {
  readonly inbound: Inbound;
}

/**
 * Redacts a request by a rule.
 * @param memory of the caller's earlier answers
 * @throws ProxyError `unredactable` if something in it cannot be searched, `redaction_failed`
 */
export async function redacted(
  given: Inbound,
  rule: OutwardRule,
  memory: ReplayMemory,
  signal: AbortSignal,
  { redact, readTokens, turns }: RedactionDeps,
): Promise<RedactedInbound> {
  if (!given.json) {
    const message = 'Cannot redact a request that is not JSON, such as a form, so it is not sent';
    throw new ProxyError('unredactable', message);
  }
  const searched = await searchable(given, memory, signal, { readTokens, turns });
  const { bytes, values, counts } = await redact(searched.bytes, rule, { caller: given.caller, signal });
  return { inbound: bytes ? await turns.run(withBody(searched, bytes)) : searched, values, counts };
}

/**
 * The request with everything in it that can be inserted here: items that it refers to, summaries that were sealed
 * here, the texts of tokens. Otherwise they would be inserted after the search. What a provider has stored is sent
 * again, since the stored version contains placeholders that may have another meaning now.
 */
async function searchable(
  given: Inbound,
  memory: ReplayMemory,
  signal: AbortSignal,
  { readTokens, turns }: Pick<RedactionDeps, 'readTokens' | 'turns'>,
): Promise<Inbound> {
  const inbound = given.chained ? { ...given, chained: undefined } : given;
  const { text, value } = inbound.json!;
  const { input } = value;
  const lists = inbound.endpoint === 'embeddings' ? tokenLists(input) : undefined;
  const changed = lists
    ? [...(await readTokens(lists, signal))]
    : inbound.endpoint.startsWith('responses') && Array.isArray(input)
      ? itemsOf(input, memory)
      : undefined;
  if (!changed || changed === input) return inbound;
  const request = exactly(text, value);
  return await turns.run(withValue(inbound, { ...request, input: changed }));
}

/** The items of a conversation, with those inserted that only this proxy knows. */
function itemsOf(items: readonly unknown[], memory: ReplayMemory): readonly unknown[] {
  const changed = items.map((item) => {
    if (!isObject(item)) return item;
    const known = item.type === 'item_reference' ? (memory.get(stringOf(item.id) ?? '') ?? item) : item;
    const summary = summaryOf(known);
    return summary === undefined
      ? known
      : { type: 'message', role: 'user', content: [{ type: 'input_text', text: summaryText(summary) }] };
  });
  return changed.every((item, at) => item === items[at]) ? items : changed;
}

/** An answer as JSON text, with its placeholders replaced. What is not JSON stays as it is. */
export function* restoredText(text: string, restorer: Restorer): Steps<string> {
  let value: unknown;
  try {
    value = yield* parseInSteps(text, ANSWER_BOUNDS);
  } catch {
    return text;
  }
  if (typeof value !== 'object' || value === null) return text;
  yield;
  const restored = yield* restoredInSteps(exactly(text, value), restorer);
  return yield* writeJson(restored);
}

function* withValue(inbound: Inbound, value: JsonObject): Steps<Inbound> {
  const text = yield* writeJson(value);
  return yield* withBody(inbound, yield* encodeInSteps(text));
}

/** The request with another body. @param bytes JSON text of an object */
export function* withBody(inbound: Inbound, bytes: Uint8Array<ArrayBuffer>): Steps<Inbound> {
  const text = yield* decodeInSteps(bytes, false);
  const value = (yield* parseInSteps(text, ANSWER_BOUNDS)) as JsonObject;
  const modelAt = yield* findModel(bytes, typeof value.model === 'string');
  return { ...inbound, bytes, json: { text, value, modelAt } };
}
