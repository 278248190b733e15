/** A recorded client request, sent through the binary: the request that the provider of each API receives. */
import type { Problem } from '../answers/compare.ts';
import type { Lab } from '../lab/lab.ts';
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Asker, Asking, Item } from '../requests/asking.ts';
import { canned } from '../lab/canned.ts';
import { vendorOf } from '../lab/vendors.ts';
import { textOf } from '../read/exchange.ts';
import { isObject, objectOf, shown } from '../read/json.ts';
import { compareRequests } from '../requests/compare.ts';
import { unreadFields } from '../requests/gemini-fields.ts';
import { unreadOfInteractions } from '../requests/interactions.ts';
import { unreadOfOllama } from '../requests/ollama.ts';
import { askingIn } from '../requests/read.ts';
import { targetProblems } from '../schemas/targets.ts';
import { toldLeftOut } from './told.ts';

export interface RequestOptions {
  readonly client: Asker;
  readonly target: Api;
  readonly number: number;
  /** The provider that the request was recorded from, by its name in the index. */
  readonly provider: string;
  /** Whether the request was made to OpenAI, so that its document defines what it may contain. */
  readonly isOpenai: boolean;
}

export interface CheckedRequest {
  readonly lane: 'relay' | 'translate';
  readonly problems: readonly Problem[];
  /** The message of a refusal. */
  readonly refusal: string | undefined;
}

/** Clients whose requests have no nested fields to report. */
type Plain = Exclude<Asker, 'gemini' | 'ollama' | 'interactions'>;

/** Fields that are compared by meaning, or that determine how the answer is sent. */
const KNOWN: Readonly<Record<Plain, ReadonlySet<string>>> = {
  chat: new Set(
    'model messages stream stream_options tools tool_choice functions function_call max_tokens max_completion_tokens temperature top_p top_k stop seed presence_penalty frequency_penalty n logprobs top_logprobs logit_bias parallel_tool_calls reasoning_effort response_format user safety_identifier service_tier verbosity web_search_options thinking reasoning modalities'.split(
      ' ',
    ),
  ),
  messages: new Set(
    'model messages system stream tools tool_choice max_tokens temperature top_p top_k stop_sequences thinking output_config output_format metadata service_tier mcp_servers anthropic_version'.split(
      ' ',
    ),
  ),
  responses: new Set(
    'model input instructions stream tools tool_choice max_output_tokens temperature top_p top_logprobs parallel_tool_calls reasoning text user safety_identifier service_tier'.split(
      ' ',
    ),
  ),
};

/** Whether a field, or its parent, is reported as left out. */
function isTold(name: string, told: string): boolean {
  return told.includes(name) || told.split(/,\s*/).includes(name.slice(0, name.lastIndexOf('.')));
}

function unreadOf(client: Asker, request: Json, asked: Json): string[] {
  if (client === 'gemini') return unreadFields(request);
  if (client === 'ollama') return unreadOfOllama(request);
  if (client === 'interactions') return unreadOfInteractions(request);
  return Object.keys(request).filter(
    (name) => !KNOWN[client].has(name) && !HARMLESS.test(name) && !(name in asked) && request[name] !== null,
  );
}

/** Fields that do not change what is requested. */
const HARMLESS = /^(?:store|include|metadata|prompt_cache_key|cache_control|truncation)$/;

/** The problems of one request at one provider. */
export async function checkRequest(
  lab: Lab,
  recorded: Json,
  { client, target, number, provider, isOpenai }: RequestOptions,
): Promise<CheckedRequest> {
  const request = ofNobody(recorded);
  // Fields that a vendor is known to refuse are left out or renamed, even if its own protocol is relayed.
  const { type, model } = vendorOf(target, client === target ? provider : 'openai-compatible', client);
  // Ollama streams unless told otherwise.
  const stream = client === 'ollama' ? request.stream !== false : request.stream === true;
  const got = await lab.send(client, request, type, model(number), canned(target, stream));
  const lane = client === target ? 'relay' : 'translate';
  const [asked] = got.asked;
  if (!asked) {
    return { lane, problems: [], refusal: `${got.status} ${textOf(got.body).slice(0, 300)}` };
  }
  const told = toldLeftOut(got);
  // Only chat vendors have their own names for fields of their own protocol's clients.
  if (lane === 'relay' && (target !== 'chat' || type === 'openai-compatible'))
    return { lane, problems: relayed(request, asked.body, told), refusal: undefined };
  const wanted = askedOnce(askingIn(request, client), got.asked.length);
  const problems = compareRequests(wanted, askingIn(asked.body, target), { client, target, told });
  for (const name of unreadOf(client, request, asked.body)) {
    if (!isTold(name, told))
      problems.push({ aspect: 'request', text: `${name} is neither sent to ${target} nor named` });
  }
  // OpenAI's document does not define the fields that other vendors add to a chat request.
  const isOthers = target === 'chat' && wanted.items.some(isOthersPart);
  const held =
    lane === 'translate' && !isOthers && (isOpenai || (target !== 'chat' && target !== 'responses'));
  const wrong = held ? targetProblems(target, asked.body) : [];
  problems.push(...wrong.slice(0, 3).map((text): Problem => ({ aspect: 'schema', text })));
  return { lane, problems, refusal: undefined };
}

/**
 * The request without references to an earlier response and without background mode: the proxy itself handles those,
 * and that is not compared here.
 */
function ofNobody(recorded: Json): Json {
  const { background: _, ...request } = recorded;
  const { previous_response_id: previous } = request;
  return typeof previous === 'string' ? { ...request, previous_response_id: 'resp_of_nobody' } : request;
}

/** Video, and audio by URL, which OpenAI does not accept: other chat vendors have parts for them. */
function isOthersPart(item: Item): boolean {
  return item.kind === 'video' || (item.kind === 'audio' && /^https?:/.test(item.data));
}

/** For several choices, a provider of single answers is called several times. */
function askedOnce(wanted: Asking, times: number): Asking {
  const { n, ...others } = wanted.parameters;
  return n === times && times > 1 ? { ...wanted, parameters: others } : wanted;
}

/** The option that the proxy adds to a stream, so that it learns the usage. */
const ASKED_USAGE = { include_usage: true };

/**
 * The messages without what only one vendor's answers have and others refuse when it is sent back: OpenAI's empty lists,
 * and Mistral's parts for reasoning.
 */
function plain(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages;
  return messages.map((message) => {
    if (!isObject(message)) return message as unknown;
    const { annotations, ...others } = message;
    const own = Array.isArray(annotations) && annotations.length === 0 ? others : message;
    const { content } = own;
    if (!Array.isArray(content)) return own;
    return { ...own, content: content.filter((part) => !Array.isArray(objectOf(part).thinking)) };
  });
}

/** The contents without the placeholder that calls of other providers get for Gemini 3. */
function unsigned(contents: unknown): unknown {
  if (!Array.isArray(contents)) return contents;
  return contents.map((content) => {
    const { parts, ...others } = objectOf(content);
    if (!Array.isArray(parts)) return content as unknown;
    const own = parts.map((part) => {
      const { thoughtSignature: signature, ...rest } = objectOf(part);
      return signature === 'skip_thought_signature_validator' ? rest : (part as unknown);
    });
    return { ...others, parts: own };
  });
}

/** A relayed request is the client's own, except for the model name, reported fields, and the requested usage. */
function relayed(request: Json, asked: Json, told: string): Problem[] {
  const names = new Set([...Object.keys(request), ...Object.keys(asked)]);
  names.delete('model');
  // In Gemini's API, the path says whether to stream.
  if (asked.contents !== undefined) names.delete('stream');
  const { stream, stream_options: own } = request;
  const wanted = { ...(own as Json | undefined), ...ASKED_USAGE };
  if (stream === true && Bun.deepEquals(asked.stream_options, wanted)) names.delete('stream_options');
  return [...names]
    .filter((name) => !Bun.deepEquals(plain(request[name]), unsigned(asked[name])) && !told.includes(name))
    .map((name) => ({
      aspect: 'request' as const,
      text: `${name} is relayed as ${shown(asked[name])}, not ${shown(request[name])}`,
    }));
}
