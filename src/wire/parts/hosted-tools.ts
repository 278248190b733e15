/**
 * Hosted tools, which the provider runs: `hosted_tools` of a canonical request, besides chat's own
 * `web_search_options`, which has the same meaning.
 */
import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Native } from './part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

export interface HostedTool {
  /** In Anthropic's terms: `web_search`, `code_execution`. */
  readonly name: string;
  readonly options: SearchOptions;
  /** What the client calls it, for protocols without a type that says so. */
  readonly word?: string;
  /** The tool in the format of its own protocol. */
  readonly native?: Native;
}

/** The options of a search. */
export interface SearchOptions {
  readonly max_uses?: number;
  readonly allowed_domains?: readonly unknown[];
  readonly blocked_domains?: readonly unknown[];
  /** `{type: 'approximate', city, region, country, timezone}` */
  readonly user_location?: JsonObject;
  readonly search_context_size?: string;
}

/** The hosted tools that a request asks for. */
export function hostedTools(request: ChatRequest): HostedTool[] {
  const listed = listOf(request.hosted_tools) as HostedTool[];
  const { web_search_options: options } = request;
  const searched = listed.some(({ name }) => name === 'web_search');
  return isObject(options) && !searched
    ? [...listed, { name: 'web_search', options: chatOptions(options) }]
    : listed;
}

/** The client's name for the tool. */
export function wordFor({ name, word, native }: HostedTool): string {
  return word ?? stringOf(native?.value.type) ?? (name === 'web_search' ? 'web_search_options' : name);
}

/** The search options of chat; the user's location is nested one level deeper. */
function chatOptions({ user_location: location, search_context_size: size }: JsonObject): SearchOptions {
  const { approximate } = objectOf(location);
  return {
    ...(isObject(approximate) ? { user_location: { type: 'approximate', ...approximate } } : {}),
    ...(typeof size === 'string' ? { search_context_size: size } : {}),
  };
}

/** A search in the form of chat's options. */
export function toChatOptions({
  user_location: location,
  search_context_size: size,
}: SearchOptions): JsonObject {
  const { type: _, ...approximate } = location ?? {};
  return {
    ...(location ? { user_location: { type: 'approximate', approximate } } : {}),
    ...(size === undefined ? {} : { search_context_size: size }),
  };
}

/** The search options of Anthropic's or OpenAI's tool, whose names are the same in both. */
export function searchOptions(tool: JsonObject): SearchOptions {
  const { max_uses, user_location, search_context_size, filters } = tool;
  const { allowed_domains, blocked_domains } = { ...objectOf(filters), ...tool } as JsonObject;
  return {
    ...(typeof max_uses === 'number' ? { max_uses } : {}),
    ...(Array.isArray(allowed_domains) ? { allowed_domains } : {}),
    ...(Array.isArray(blocked_domains) ? { blocked_domains } : {}),
    ...(isObject(user_location) ? { user_location } : {}),
    ...(stringOf(search_context_size) === undefined
      ? {}
      : { search_context_size: stringOf(search_context_size)! }),
  };
}

/** The options that a target supports; the others are added to `dropped`. */
export function knownOptions(
  { name, word = name, options }: HostedTool,
  known: readonly (keyof SearchOptions)[],
  dropped: string[],
): SearchOptions {
  const entries = Object.entries(options);
  const taken = entries.filter(([option]) => known.some((each) => each === option));
  for (const entry of entries) if (!taken.includes(entry)) dropped.push(`${word}.${entry[0]}`);
  return Object.fromEntries(taken);
}
