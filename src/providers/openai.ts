import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import type { Called } from './http.ts';
import { ENDPOINTS, isTranslated } from '../wire/endpoints.ts';
import { listOf } from '../wire/json.ts';
import { HttpProvider } from './http.ts';

/** The features of an OpenAI-compatible server besides chat and related endpoints. */
export interface OpenaiOptions {
  /** Client APIs that it implements besides chat, with their paths if they are unusual. */
  readonly also: Readonly<Partial<Record<Endpoint, string>>>;
  /** Models that are available through the Responses API only. */
  readonly onlyResponses?: RegExp | undefined;
  /** Whether it stores responses. */
  readonly storesResponses?: boolean | undefined;
}

/** OpenAI, and every vendor with a compatible API. */
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

  /** @internal */
  override get storedResponses(): string | undefined {
    if (this.options.storesResponses !== true) return undefined;
    return this.path({ endpoint: 'responses', model: '', query: undefined, stream: false });
  }

  /** The API that the configuration chooses for a model. */
  #api(model: string): 'chat' | 'responses' | undefined {
    return this.settings.overrides?.findLast(({ covers, api }) => api && covers(model))?.api;
  }

  protected override path({ endpoint, model }: Called): string {
    if (endpoint === 'realtime') return `${ENDPOINTS.realtime.path}?model=${encodeURIComponent(model)}`;
    return this.options.also[endpoint] || ENDPOINTS[endpoint].path;
  }
}

/** Whether chat rejects the functions of a request that the Responses API accepts. */
function needsResponses(
  { tools, functions, reasoning_effort: effort }: JsonObject,
  { functionsByResponses }: Quirks,
): boolean {
  if (functionsByResponses === undefined || effort === 'none') return false;
  if (listOf(tools).length + listOf(functions).length === 0) return false;
  return functionsByResponses === 'unless_none' || (effort !== undefined && effort !== null);
}
