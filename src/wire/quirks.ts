import type { JsonObject } from './json.ts';
import type { Abilities } from './facts/abilities.ts';
import type { Effort } from './facts/effort.ts';
import type { MessageFacts } from './facts/messages.ts';
import type { Override } from './facts/override.ts';
import { asksForMore } from './facts/asked.ts';
import { fittingMessages } from './facts/messages.ts';
import { withDocumentUrls } from './facts/mistral-dialect.ts';
import { isObject, listOf } from './json.ts';

/** How a vendor deviates from the protocol it implements, as data. */
export interface Quirks extends MessageFacts {
  /** The vendor's documentation of it, or whoever observed it. */
  readonly source?: string;
  /** The model whose facts apply, if the name does not tell it. */
  readonly like?: string | undefined;
  /** What it supports. */
  readonly abilities?: Abilities;
  /** It accepts sampling parameters only when it does not reason. */
  readonly samplesUnreasoned?: true;
  /**
   * Requests with functions use the Responses API: when reasoning is requested, or unless it is disabled.
   */
  readonly functionsByResponses?: 'reasoning' | 'unless_none';
  /** The values of Anthropic's header `anthropic-beta` that it accepts; all if omitted. */
  readonly betas?: readonly string[];
  /** Whether it is one of Anthropic's Claude models, with Anthropic's fields for thinking. */
  readonly claude?: true;
  /** Request fields that it rejects. */
  readonly drops?: readonly string[];
  /** Fields of other protocols that it supports: `top_k`, `thinking`, `cache_control`, `extra_content`. */
  readonly keeps?: readonly string[];
  /** Whether a Gemini model rejects calls without signatures, although its name does not show it. */
  readonly signsCalls?: true;
  /** The header that requests a service tier of Gemini models, which are otherwise a field of the body. */
  readonly tierHeader?: string;
  /** Fields that it has under another name. */
  readonly renames?: Readonly<Record<string, string>>;
  /** Numbers with a narrower range, both ends inclusive. */
  readonly clamps?: Readonly<Record<string, readonly [number, number]>>;
  /** Values that it names differently, by field. */
  readonly words?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Pairs of fields of which the second is rejected together with the first. */
  readonly exclusive?: readonly (readonly [kept: string, other: string])[] | undefined;
  /** The reasoning efforts that it supports; empty if it does not reason. Omitted if unknown. */
  readonly efforts?: readonly Effort[];
  /** What disables reasoning, if it is not an effort. */
  readonly unreasoned?: JsonObject;
  /** Changes from the configuration. */
  readonly override?: Override;
  /** Fields that every request has, unless the client sets them. */
  readonly sets?: JsonObject;
  /** The schemas of response formats must be those of objects, and parameters have no alternatives at the root. */
  readonly objectRoots?: true;
  /** Files are parts of Mistral's type `document_url`. */
  readonly documentUrls?: true;
  /** The format of its tool call ids; other ids are replaced. */
  readonly toolIds?: 'nine_alphanumerics';
  /**
   * What happens to the reasoning in earlier answers: sent back as `reasoning_content` (of every answer, empty if there
   * is none, or only of those that have it), or left out.
   */
  readonly reasoning?: 'every_turn' | 'where_known' | 'left_out';
  /** A stream reports its usage unasked. */
  readonly reportsUsage?: true;
  /** Its count of output tokens excludes reasoning. */
  readonly outputWithoutReasoning?: true;
  /** Its answers do not say in which service tier they were computed: it is the requested one. */
  readonly hidesTier?: true;
  /** Further quirks of some models; the first row whose pattern matches is used. */
  readonly models?: readonly { readonly match: RegExp; readonly quirks: Omit<Quirks, 'models'> }[];
}

/** A vendor's quirks, overridden by a model's. */
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

/** A request as the vendor accepts it, and what was left out. `undefined` when no change is needed. */
export function applyQuirks(
  request: JsonObject,
  quirks: Quirks,
): { request: JsonObject; dropped: string[] } | undefined {
  if (changesNothing(quirks)) return undefined;
  const removed = (quirks.drops ?? []).filter((name) => request[name] !== undefined);
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
  const matched = (quirks.toolIds && rewriteToolIds(fitting ?? request.messages)) ?? fitting;
  const rewritten = (quirks.documentUrls && withDocumentUrls(matched ?? request.messages)) ?? matched;
  const all = [removed, renamed, clamped, worded, set];
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
  for (const name of removed) delete changed[name];
  return { request: changed, dropped: removed.filter((name) => asksForMore(name, request[name])) };
}

/** Whether system messages are at the beginning only. */
function comesFirst({ systemFirst, abilities }: Quirks): true | undefined {
  return systemFirst === true || abilities?.late_system === false ? true : undefined;
}

/** Whether no request would be changed. */
function changesNothing(quirks: Quirks): boolean {
  const { drops, renames, clamps, words, sets, toolIds, documentUrls, roles } = quirks;
  if (drops?.length || toolIds || documentUrls || comesFirst(quirks)) return false;
  return !renames && !clamps && !words && !sets && !roles;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const NINE = /^[A-Za-z0-9]{9}$/;

/** Messages with tool call ids in the form that Mistral accepts; `undefined` when no change is needed. */
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

/** Nine letters and digits derived from an id, always the same. FNV-1a, twice. */
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
