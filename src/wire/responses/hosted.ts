/** Hosted tools and generated images as items of a response. */
import type { JsonObject } from '../json.ts';
import type { HostedCallPart, HostedResultPart, Part, Source } from '../parts/part.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';

/** The names of the tools in other APIs. */
const NAMES: Readonly<Record<string, string>> = {
  web_search_call: 'web_search',
  code_interpreter_call: 'code_execution',
  file_search_call: 'file_search',
  mcp_call: 'mcp',
  search_results: 'web_search',
};

/** Decodes an item other than a message, reasoning or function call to parts; empty if no other API has one like it. */
export function decodeHosted(item: JsonObject): Part[] {
  const { type, id, result, revised_prompt: prompt } = item;
  if (type === 'image_generation_call') {
    const wish = typeof prompt === 'string' ? { prompt } : {};
    return typeof result === 'string' && result !== ''
      ? [{ type: 'image', url: dataUri(item, result), ...wish }]
      : [];
  }
  if (typeof type !== 'string' || !Object.hasOwn(NAMES, type)) return [];
  const called = { id: stringOf(id) ?? type, name: NAMES[type]! };
  const native = { protocol: 'responses', value: item } as const;
  const output = outputIn(item);
  const sources = sourcesIn(item);
  const call: Part = { type: 'hosted_call', ...called, input: inputIn(item), native };
  return [call, { type: 'hosted_result', ...called, sources, ...(output === '' ? {} : { output }) }];
}

function dataUri({ output_format: format }: JsonObject, result: string): string {
  return result.startsWith('data:') ? result : `data:image/${stringOf(format) ?? 'png'};base64,${result}`;
}

function inputIn({ type, action, code, queries, arguments: given }: JsonObject): string {
  if (type === 'code_interpreter_call') return JSON.stringify({ code: stringOf(code) ?? '' });
  if (type === 'mcp_call') return stringOf(given) || '{}';
  const { query, url } = objectOf(action);
  if (typeof query === 'string') return JSON.stringify({ query });
  if (typeof url === 'string') return JSON.stringify({ url });
  return Array.isArray(queries) ? JSON.stringify({ query: queries.join('\n') }) : '{}';
}

function outputIn({ outputs, output }: JsonObject): string {
  const logs = listOf(outputs).map((each) => stringOf(objectOf(each).logs) ?? '');
  return [...logs, stringOf(output) ?? ''].filter((text) => text !== '').join('\n');
}

function sourcesIn({ action, results }: JsonObject): Source[] {
  const pages = [...listOf(objectOf(action).sources), ...listOf(results)].filter(isObject);
  return pages.flatMap(({ url, title }) =>
    typeof url === 'string' ? [{ url, title: stringOf(title) ?? '' }] : [],
  );
}

/** Other items of an answer: executed by the provider, or to be executed by the client. */
export function decodeOther(item: JsonObject): Part[] {
  const known = decodeHosted(item);
  const type = stringOf(item.type);
  if (known.length > 0 || type === undefined || type === 'image_generation_call') return known;
  const native = { protocol: 'responses', value: item } as const;
  return [{ type: 'hosted_call', id: stringOf(item.id) ?? type, name: type, input: '{}', native }];
}

/** The prefix of ids for items from other providers, by which OpenAI distinguishes them from its own. */
export const FOREIGN_ITEM = 'llmproxy_';

/**
 * A call of a hosted tool, with its result, as an item; `undefined` if the API has none for it.
 * @param newId creates a random id, if OpenAI assigned none
 */
export function encodeHosted(
  { name, input, native }: HostedCallPart,
  result: HostedResultPart | undefined,
  newId: () => string,
): JsonObject | undefined {
  if (native?.protocol === 'responses') return native.value;
  const given = objectOf(parseJson(input));
  if (name === 'web_search' || name === 'web_fetch') {
    const sources = (result?.sources ?? []).map(({ url }) => ({ type: 'url', url }));
    const query = stringOf(given.query);
    const action =
      name === 'web_fetch'
        ? { type: 'open_page', url: stringOf(given.url) ?? '' }
        : { type: 'search', query: query ?? '', ...(sources.length > 0 ? { sources } : {}) };
    return { id: `ws_${FOREIGN_ITEM}${newId()}`, type: 'web_search_call', status: 'completed', action };
  }
  if (name !== 'code_execution') return undefined;
  const logs = result?.output ?? '';
  return {
    id: `ci_${FOREIGN_ITEM}${newId()}`,
    type: 'code_interpreter_call',
    status: 'completed',
    container_id: '',
    code: stringOf(given.code) ?? '',
    outputs: logs === '' ? [] : [{ type: 'logs', logs }],
  };
}

/** An image as an item; `undefined` for one that is only referenced. */
export function encodeImage(
  url: string,
  prompt: string | undefined,
  newId: () => string,
): JsonObject | undefined {
  const comma = url.slice(0, 200).indexOf(',');
  const head = comma < 0 ? undefined : /^data:image\/([\w.+-]+)[^,]*;base64$/i.exec(url.slice(0, comma));
  if (!head) return undefined;
  return {
    id: `ig_${FOREIGN_ITEM}${newId()}`,
    type: 'image_generation_call',
    status: 'completed',
    result: url.slice(comma + 1),
    output_format: head[1]!.toLowerCase(),
    ...(prompt === undefined ? {} : { revised_prompt: prompt }),
  };
}
