import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import type { Called } from './http.ts';
import { ENDPOINTS, isTranslated } from '../wire/endpoints.ts';
import { listOf } from '../wire/json.ts';
import { HttpProvider } from './http.ts';

/** What a server of OpenAI's API has beside chat and its kin. */
export interface OpenaiOptions {
  /** APIs of clients that it speaks beside chat, with their paths where they are not the usual ones. */
  readonly also: Readonly<Partial<Record<Endpoint, string>>>;
  /** Models that are asked by Responses alone. */
  readonly onlyResponses?: RegExp | undefined;
}

/** OpenAI, and every vendor that speaks its API. */
export class OpenaiProvider<Options extends OpenaiOptions = OpenaiOptions> extends HttpProvider<Options> {
  override protocol(model: string, request?: JsonObject): ProtocolName {
    const api = this.#api(model);
    if (api !== undefined) return api;
    const quirks = this.quirks(model);
    if (this.options.onlyResponses?.test(quirks.like ?? model)) return 'responses';
    return request && needsResponses(request, quirks) ? 'responses' : 'chat';
  }

  override relays(endpoint: Endpoint, model: string, request?: JsonObject): boolean {
    if (endpoint === 'chat') return this.protocol(model, request) === 'chat';
    if (endpoint === 'responses' && this.#api(model) === 'chat') return false;
    if (endpoint in this.options.also || endpoint === 'embeddings') return true;
    return !isTranslated(endpoint);
  }

  /** By which API the operator wants a model asked. */
  #api(model: string): 'chat' | 'responses' | undefined {
    return this.settings.overrides?.findLast(({ covers, api }) => api && covers(model))?.api;
  }

  protected override path({ endpoint, model }: Called): string {
    if (endpoint === 'realtime') return `${ENDPOINTS.realtime.path}?model=${encodeURIComponent(model)}`;
    return this.options.also[endpoint] || ENDPOINTS[endpoint].path;
  }
}

/** Whether chat refuses the functions of a request, and Responses takes them. */
function needsResponses(
  { tools, functions, reasoning_effort: effort }: JsonObject,
  { functionsByResponses }: Quirks,
): boolean {
  if (functionsByResponses === undefined || effort === 'none') return false;
  if (listOf(tools).length + listOf(functions).length === 0) return false;
  return functionsByResponses === 'unless_none' || (effort !== undefined && effort !== null);
}
