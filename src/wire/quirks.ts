import type { JsonObject } from './json.ts';
import type { Abilities } from './facts/abilities.ts';
import type { Effort } from './facts/effort.ts';
import type { MessageFacts } from './facts/messages.ts';
import type { Override } from './facts/override.ts';
import { fittingMessages } from './facts/messages.ts';
import { isObject, listOf } from './json.ts';

/** What a vendor does otherwise than the protocol it speaks, as data. */
export interface Quirks extends MessageFacts {
  /** Where its vendor, or whoever found it out, says so. */
  readonly source?: string;
  /** The model whose facts these are, where another name stands for it. */
  readonly like?: string | undefined;
  /** What it takes and what it does not. */
  readonly abilities?: Abilities;
  /** It takes what steers sampling as long as it is not told to reason. */
  readonly samplesUnreasoned?: true;
  /**
   * It is asked by Responses where it is given functions: when it is told to reason, or unless it is told not to.
   */
  readonly functionsByResponses?: 'reasoning' | 'unless_none';
  /** What of Anthropic's header `anthropic-beta` it takes; left out where it takes all. */
  readonly betas?: readonly string[];
  /** It is a Claude of Anthropic's own, which is told how to think as Anthropic has it. */
  readonly claude?: true;
  /** Fields of a request that it refuses. */
  readonly drops?: readonly string[];
  /** Fields of other protocols that it knows: `top_k`, `thinking`, `cache_control`, `extra_content`. */
  readonly keeps?: readonly string[];
  /** Fields that it knows by another name. */
  readonly renames?: Readonly<Record<string, string>>;
  /** Numbers that it takes from a narrower range, both ends included. */
  readonly clamps?: Readonly<Record<string, readonly [number, number]>>;
  /** Words that it has others for, by field. */
  readonly words?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Of two fields the second is refused beside the first. */
  readonly exclusive?: readonly (readonly [kept: string, other: string])[] | undefined;
  /** The efforts of reasoning that it takes; none where it does not reason. Left out where that is not known. */
  readonly efforts?: readonly Effort[];
  /** What asks it not to reason, where that is no effort. */
  readonly unreasoned?: JsonObject;
  /** What the operator changes. */
  readonly override?: Override;
  /** Fields that every request carries, unless the client says otherwise. */
  readonly sets?: JsonObject;
  /** What its ids of tool calls look like; other ids are replaced. */
  readonly toolIds?: 'nine_alphanumerics';
  /**
   * What becomes of the reasoning in earlier answers: given back as `reasoning_content` (of every answer, empty where
   * there is none, or of those that have it), or left out.
   */
  readonly reasoning?: 'every_turn' | 'where_known' | 'left_out';
  /** A stream tells its usage without being asked for it. */
  readonly tellsUsage?: true;
  /** Its count of output tokens leaves reasoning out. */
  readonly outputWithoutReasoning?: true;
  /** More of this for some models; the first row whose pattern matches counts. */
  readonly models?: readonly { readonly match: RegExp; readonly quirks: Omit<Quirks, 'models'> }[];
}

/** A vendor's quirks with a model's over them. */
export function mergeQuirks(vendor: Quirks, model: Quirks): Quirks {
  return {
    ...vendor,
    ...model,
    drops: [...(vendor.drops ?? []), ...(model.drops ?? [])],
    renames: { ...vendor.renames, ...model.renames },
    clamps: { ...vendor.clamps, ...model.clamps },
    words: { ...vendor.words, ...model.words },
    sets: { ...vendor.sets, ...model.sets },
    roles: { ...vendor.roles, ...model.roles },
    abilities: { ...vendor.abilities, ...model.abilities },
  };
}

/** A request as the vendor takes it, and what was left out. `undefined` when it serves as it is. */
export function applyQuirks(
  request: JsonObject,
  quirks: Quirks,
): { request: JsonObject; dropped: string[] } | undefined {
  if (changesNothing(quirks)) return undefined;
  const dropped = (quirks.drops ?? []).filter((name) => isGiven(request[name]));
  const renamed = Object.entries(quirks.renames ?? {}).filter(([name]) => isGiven(request[name]));
  const clamped = Object.entries(quirks.clamps ?? {}).filter(([name, [least, most]]) => {
    const value = request[name];
    return typeof value === 'number' && (value < least || value > most);
  });
  const worded = Object.entries(quirks.words ?? {}).flatMap(([name, words]) => {
    const value = request[name];
    return typeof value === 'string' && Object.hasOwn(words, value) ? [[name, words[value]] as const] : [];
  });
  const set = Object.entries(quirks.sets ?? {}).filter(([name]) => request[name] === undefined);
  const fitting = fittingMessages(request.messages, { roles: quirks.roles, systemFirst: comesFirst(quirks) });
  const rewritten = (quirks.toolIds && rewriteToolIds(fitting ?? request.messages)) ?? fitting;
  const all = [dropped, renamed, clamped, worded, set];
  if (!rewritten && all.every(({ length }) => length === 0)) return undefined;
  const changed: JsonObject = { ...request, ...Object.fromEntries([...worded, ...set]) };
  if (rewritten) changed.messages = rewritten;
  for (const [name, [least, most]] of clamped) {
    changed[name] = Math.min(most, Math.max(least, Number(changed[name])));
  }
  for (const [name, other] of renamed) {
    changed[other] ??= changed[name];
    delete changed[name];
  }
  for (const name of dropped) delete changed[name];
  return { request: changed, dropped };
}

/** Whether instructions stand at the beginning alone. */
function comesFirst({ systemFirst, abilities }: Quirks): true | undefined {
  return systemFirst === true || abilities?.late_system === false ? true : undefined;
}

/** Whether no request would be changed. */
function changesNothing(quirks: Quirks): boolean {
  const { drops, renames, clamps, words, sets, toolIds, roles } = quirks;
  if (drops?.length || toolIds || comesFirst(quirks)) return false;
  return !renames && !clamps && !words && !sets && !roles;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const NINE = /^[A-Za-z0-9]{9}$/;

/** Messages with ids of tool calls as Mistral takes them; `undefined` when they serve as they are. */
function rewriteToolIds(messages: unknown): unknown[] | undefined {
  let foreign = false;
  const fitting = (id: unknown): unknown => {
    if (typeof id !== 'string' || NINE.test(id)) return id;
    foreign = true;
    return nineOf(id);
  };
  const rewritten = listOf(messages).map((message) => {
    if (!isObject(message)) return message;
    const { tool_calls, tool_call_id } = message;
    if (tool_call_id === undefined && tool_calls === undefined) return message;
    const calls = Array.isArray(tool_calls)
      ? { tool_calls: tool_calls.map((call) => (isObject(call) ? { ...call, id: fitting(call.id) } : call)) }
      : {};
    return {
      ...message,
      ...calls,
      ...(tool_call_id === undefined ? {} : { tool_call_id: fitting(tool_call_id) }),
    };
  });
  return foreign ? rewritten : undefined;
}

/** Nine letters and digits that stand for an id, always the same. FNV-1a, twice. */
export function nineOf(id: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let at = 0; at < id.length; at += 1) {
    low = Math.imul(low ^ id.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ id.charCodeAt(at), 0x01000197);
  }
  const text = (low >>> 0).toString(36).padStart(7, '0') + (high >>> 0).toString(36).padStart(7, '0');
  return text.slice(-9);
}
