import type { JsonObject } from './json.ts';
import type { Units } from './units.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { searchCount, sumOf, unitsOf } from './units.ts';

/**
 * The calls of tools that the provider ran, as a usage reports them: in Anthropic's field, which this project writes as
 * well, in Mistral's, or in xAI's.
 * @see https://docs.mistral.ai/agents/connectors
 * @see https://docs.x.ai/developers/tools/tool-usage-details
 */
export function toolCalls(usage: JsonObject): Units {
  const { server_tool_use: own, connectors, server_side_tool_usage_details: details } = usage;
  if (isObject(own))
    return unitsOf({
      webSearches: searchCount(own.web_search_requests),
      fileSearches: searchCount(own.file_search_requests),
      // Free at Anthropic, and not at others that speak its protocol.
      pageVisits: searchCount(own.web_fetch_requests),
    });
  if (isObject(connectors))
    return unitsOf({
      webSearches: total(connectors.web_search, connectors.web_search_premium),
      codeCalls: searchCount(connectors.code_interpreter),
      images: searchCount(connectors.image_generation),
    });
  if (!isObject(details)) return {};
  return unitsOf({
    webSearches: total(details.web_search_calls, details.x_search_calls),
    codeCalls: searchCount(details.code_interpreter_calls),
    fileSearches: total(details.file_search_calls, details.document_search_calls),
  });
}

function total(...counts: readonly unknown[]): number {
  return sumOf(...counts.map((count) => searchCount(count) ?? 0));
}

/** The tools that Groq runs, and what they are charged as. */
const EXECUTED: Readonly<Record<string, 'webSearches' | 'pageVisits'>> = {
  search: 'webSearches',
  'browser.search': 'webSearches',
  visit: 'pageVisits',
  'browser.open': 'pageVisits',
};

/** More than Groq runs for one answer. */
const MOST_EXECUTED = 256;

/**
 * The tools that Groq ran for an answer: its choices list them. A stream may list one several times.
 * @see https://console.groq.com/docs/browser-search
 */
export class ExecutedTools {
  readonly #types = new Map<unknown, string>();

  /** @param answer a whole answer, or a chunk of a stream */
  add(answer: JsonObject): void {
    for (const choice of listOf(answer.choices)) {
      const { message, delta } = objectOf(choice);
      for (const tool of listOf(objectOf(message ?? delta).executed_tools)) {
        const { index, type } = objectOf(tool);
        if (this.#types.size < MOST_EXECUTED)
          this.#types.set(index ?? this.#types.size, stringOf(type) ?? '');
      }
    }
  }

  get units(): Units {
    const counts = { webSearches: 0, pageVisits: 0 };
    for (const type of this.#types.values()) {
      const unit = Object.hasOwn(EXECUTED, type) ? EXECUTED[type] : undefined;
      if (unit) counts[unit] += 1;
    }
    return unitsOf(counts);
  }
}
