import { Abort } from '../../abort.ts';
import type { MockConfig } from '../../config/schema.ts';
import type { ChatRequest } from '../../wire/chat.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { UpstreamReply } from '../base.ts';
import type { Call } from '../call.ts';
import type { Services } from '../services.ts';
import type { MockFault } from './fault.ts';
import type { Naming } from './body.ts';
import { sleep } from '../../clock.ts';
import { ProxyError } from '../../errors.ts';
import { isTranslated } from '../../wire/endpoints.ts';
import { isObject, listOf, parseJson } from '../../wire/json.ts';
import { BaseProvider } from '../base.ts';
import { chatAnswer, hashOf, textAnswer, tokensOf } from './answer.ts';
import { chatBody, chatEvents, embeddingBody, promptTokens, textBody, textEvents, usageOf } from './body.ts';
import { drawnFault, parseFault, seeded } from './fault.ts';
import { eventStream, wholeBody } from './stream.ts';
import { complaint } from './validate.ts';

/** What the mock would send: a whole body, or the events of a stream. */
type Content = { readonly whole: JsonObject } | { readonly events: Iterable<JsonObject> };

/**
 * A provider without a model: it answers within the process, in OpenAI's format, and always the same to the same
 * request. It can be slow and fail on purpose, so that programs can be tested against that.
 */
export class MockProvider extends BaseProvider<MockConfig> {
  readonly #random: () => number;

  constructor(services: Services<MockConfig>) {
    super(services);
    this.#random = seeded(services.options.seed);
  }

  override relays(endpoint: Endpoint): boolean {
    return endpoint === 'chat' || endpoint === 'embeddings' || !isTranslated(endpoint);
  }

  override async send(call: Call, signal: AbortSignal): Promise<UpstreamReply> {
    const drawn = drawnFault(this.options, this.#random);
    const header = this.options.allow_header ? call.headers['x-mock-fault'] : undefined;
    const fault = header === undefined ? drawn : parseFault(header);
    if (this.options.latency > 0) await sleep(this.clock, this.options.latency, Abort.following(signal));
    if (fault?.kind === 'silence') return await forever(signal);
    if (fault?.kind === 'reset') {
      throw new ProxyError('network', `Cannot reach ${this.name}: connection reset (mock fault)`, {
        target: this.name,
      });
    }
    if (fault?.kind === 'status') return statusFault(fault);
    const text = call.text();
    const request = parseJson(text);
    const wrong = complaint(call.endpoint, request);
    if (wrong)
      return reply(
        400,
        wholeBody(
          JSON.stringify({ error: { type: 'invalid_request_error', code: null, ...wrong } }),
          undefined,
          signal,
        ),
      );
    const content = this.#content(call, request as JsonObject, text);
    if ('whole' in content) return reply(200, wholeBody(JSON.stringify(content.whole), fault, signal), fault);
    const pace = this.options.tokens_per_second;
    const body = eventStream(content.events, { fault, tokensPerSecond: pace, clock: this.clock, signal });
    return reply(200, body, fault, 'text/event-stream; charset=utf-8');
  }

  #content({ endpoint }: Call, request: JsonObject, text: string): Content {
    const created = Math.floor(this.clock.now() / 1000);
    const hash = hashOf(text).toString(36);
    const n = typeof request.n === 'number' ? request.n : 1;
    const wantsUsage = isObject(request.stream_options) && request.stream_options.include_usage === true;
    if (endpoint === 'chat') {
      const chat = request as unknown as ChatRequest;
      const answers = Array.from({ length: n }, (_, choice) => chatAnswer(chat, choice));
      const naming: Naming = { id: `chatcmpl-mock-${hash}`, model: chat.model, created };
      const usage = usageOf(promptTokens(chat), answers);
      return chat.stream
        ? { events: chatEvents(naming, answers, wantsUsage ? usage : undefined) }
        : { whole: chatBody(naming, answers, usage) };
    }
    if (endpoint === 'completions')
      return completion(
        request,
        { id: `cmpl-mock-${hash}`, model: String(request.model), created },
        n,
        wantsUsage,
      );
    if (endpoint === 'embeddings') return { whole: embeddingBody(request) };
    const results = [request.input]
      .flat()
      .map(() => ({ flagged: false, categories: {}, category_scores: {} }));
    return { whole: { id: `modr-mock-${hash}`, model: request.model ?? 'mock', results } };
  }
}

function completion(request: JsonObject, naming: Naming, n: number, wantsUsage: boolean): Content {
  const { prompt } = request;
  const many = Array.isArray(prompt) && typeof prompt[0] !== 'number';
  const prompts = (many ? listOf(prompt) : [prompt]).map((item) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
  const fields = request as { model: string };
  const answers = prompts.flatMap((text) =>
    Array.from({ length: n }, (_, choice) => textAnswer(text, fields, choice)),
  );
  const tokens = prompts.reduce((sum, text) => sum + tokensOf(text).length, 0);
  const usage = usageOf(tokens, answers);
  return request.stream === true
    ? { events: textEvents(naming, answers, wantsUsage ? usage : undefined) }
    : { whole: textBody(naming, answers, usage) };
}

function statusFault({ status, retryAfter }: MockFault): UpstreamReply {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  const code = status === 429 ? 'rate_limit_exceeded' : null;
  const error = { message: `Mock fault: status ${status}`, type, param: null, code };
  const headers = new Headers({ 'content-type': 'application/json', 'x-mock-fault': 'status' });
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  return { status, headers, body: new Response(JSON.stringify({ error })).body };
}

function reply(
  status: number,
  body: UpstreamReply['body'],
  fault?: MockFault,
  type = 'application/json',
): UpstreamReply {
  const headers = new Headers({ 'content-type': type });
  if (fault) headers.set('x-mock-fault', fault.kind);
  return { status, headers, body };
}

/** Never answers; ends when the caller gives up. */
function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
