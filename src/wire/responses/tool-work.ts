/** What the tools of a response are charged by, which its usage does not show. */
import type { Iteration } from '../iterations.ts';
import type { JsonObject } from '../json.ts';
import type { Units } from '../units.ts';
import type { Usage } from '../usage.ts';
import { withIterations } from '../iterations.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { gigabytesIn, IMAGE_MODEL } from '../requested-tools.ts';
import { searchCount, unitsOf } from '../units.ts';
import { openaiUsage, withUnits } from '../usage.ts';

/** A usage with the searches, the containers and the images of its response. */
export function withToolWork(usage: Usage, { output, tools, tool_usage: work }: JsonObject): Usage {
  const { web_search: search, image_gen: image } = objectOf(work);
  const items = listOf(output).filter(isObject);
  const offered = listOf(tools).filter(isObject);
  const searches =
    usage.webSearches ?? searchCount(objectOf(search).num_requests) ?? items.filter(isSearch).length;
  const units = unitsOf({
    ...searchesBy(offered, searches),
    fileSearches: usage.fileSearches ?? items.filter(({ type }) => type === 'file_search_call').length,
    containerGigabytes: containersIn(items) * gigabytesOf(offered),
  });
  const { webSearches: _, ...others } = usage;
  return withIterations(withUnits(others, units), [...imagesIn(image, offered)]);
}

/**
 * Whether an item is a search of the web; opening a page found by one is free.
 * @see https://platform.openai.com/docs/guides/tools-web-search
 */
function isSearch({ type, action }: JsonObject): boolean {
  return type === 'web_search_call' && (objectOf(action).type ?? 'search') === 'search';
}

/** The older tool has a price of its own. */
function searchesBy(tools: readonly JsonObject[], searches: number): Units {
  const isPreview = tools.some(({ type }) => stringOf(type)?.startsWith('web_search_preview'));
  return isPreview ? { previewSearches: searches } : { webSearches: searches };
}

/** The containers in which code ran. */
function containersIn(items: readonly JsonObject[]): number {
  const ids = new Set<unknown>();
  for (const { type, container_id: id, environment } of items) {
    if (type === 'code_interpreter_call') ids.add(id);
    // Without an environment, or in a local one, the client runs the commands.
    if (type === 'shell_call' && stringOf(objectOf(environment).type)?.startsWith('container'))
      ids.add(objectOf(environment).container_id);
  }
  return ids.size;
}

/** The memory of each container, as its tool asks for. */
function gigabytesOf(tools: readonly JsonObject[]): number {
  const running = tools.find(({ type }) => type === 'code_interpreter' || type === 'shell');
  return running ? gigabytesIn(running) : 1;
}

/** The tokens of the model that made images. */
function imagesIn(reported: unknown, tools: readonly JsonObject[]): Iteration[] {
  const usage = openaiUsage(reported);
  if (!usage || usage.input + usage.output === 0) return [];
  const tool = tools.find(({ type }) => type === 'image_generation');
  return [{ model: stringOf(tool?.model) ?? IMAGE_MODEL, usage }];
}
