/** A recorded request of a client, sent through the binary: what the provider of each API is asked. */
import type { Problem } from '../answers/compare.ts';
import type { Lab } from '../lab/lab.ts';
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Asker, Asking, Item } from '../requests/asking.ts';
import { canned } from '../lab/canned.ts';
import { vendorOf } from '../lab/vendors.ts';
import { textOf } from '../read/exchange.ts';
import { objectOf, shown } from '../read/json.ts';
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
  /** Whom the request was recorded at, by the index's name. */
  readonly provider: string;
  /** Whether the request is OpenAI's own, so that its document says what it may hold. */
  readonly isOpenai: boolean;
}

export interface CheckedRequest {
  readonly lane: 'relay' | 'translate';
  readonly problems: readonly Problem[];
  /** The words of a refusal. */
  readonly refusal: string | undefined;
}

/** Those whose requests have no fields within others to be named. */
type Plain = Exclude<Asker, 'gemini' | 'ollama' | 'interactions'>;

/** Fields that are looked at by what they mean, or that say how the answer comes. */
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

/** Whether it is named, or what it belongs to is. */
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

/** Fields that change nothing of what is asked. */
const HARMLESS = /^(?:store|include|metadata|prompt_cache_key|cache_control|truncation)$/;

/** The problems of one request at one provider. */
export async function checkRequest(
  lab: Lab,
  recorded: Json,
  { client, target, number, provider, isOpenai }: RequestOptions,
): Promise<CheckedRequest> {
  const request = ofNobody(recorded);
  // What a vendor is known to refuse is left out or renamed also where its own protocol is relayed.
  const { type, model } = vendorOf(target, client === target ? provider : 'openai-compatible', client);
  // Ollama streams where it is not told to do so.
  const stream = client === 'ollama' ? request.stream !== false : request.stream === true;
  const got = await lab.send(client, request, type, model(number), canned(target, stream));
  const lane = client === target ? 'relay' : 'translate';
  const [asked] = got.asked;
  if (!asked) {
    return { lane, problems: [], refusal: `${got.status} ${textOf(got.body).slice(0, 300)}` };
  }
  const told = toldLeftOut(got);
  // Only vendors of chat have names of their own for what their own protocol's clients ask.
  if (lane === 'relay' && (target !== 'chat' || type === 'openai-compatible'))
    return { lane, problems: relayed(request, asked.body, told), refusal: undefined };
  const wanted = askedOnce(askingIn(request, client), got.asked.length);
  const problems = compareRequests(wanted, askingIn(asked.body, target), { client, target, told });
  for (const name of unreadOf(client, request, asked.body)) {
    if (!isTold(name, told))
      problems.push({ aspect: 'request', text: `${name} is neither sent to ${target} nor named` });
  }
  // What a vendor's own words in a chat request mean is not OpenAI's to say.
  const isOthers = target === 'chat' && wanted.items.some(isOthersPart);
  const held =
    lane === 'translate' && !isOthers && (isOpenai || (target !== 'chat' && target !== 'responses'));
  const wrong = held ? targetProblems(target, asked.body) : [];
  problems.push(...wrong.slice(0, 3).map((text): Problem => ({ aspect: 'schema', text })));
  return { lane, problems, refusal: undefined };
}

/**
 * A request that refers to no response that was recorded, and that is answered at once: others of them passed through the proxy,
 * which remembers what was said and can work in the background, and here is not asked what it makes of that.
 */
function ofNobody(recorded: Json): Json {
  const { background: _, ...request } = recorded;
  const { previous_response_id: previous } = request;
  return typeof previous === 'string' ? { ...request, previous_response_id: 'resp_of_nobody' } : request;
}

/** Video, and sound by its address, which OpenAI does not take: other vendors of chat have parts for them. */
function isOthersPart(item: Item): boolean {
  return item.kind === 'video' || (item.kind === 'audio' && /^https?:/.test(item.data));
}

/** A provider of one answer is asked as often as there are to be. */
function askedOnce(wanted: Asking, times: number): Asking {
  const { n, ...others } = wanted.parameters;
  return n === times && times > 1 ? { ...wanted, parameters: others } : wanted;
}

/** What the proxy asks of a stream where its client did not, so that it knows the usage. */
const ASKED_USAGE = { include_usage: true };

/** Without the empty lists that OpenAI alone puts into its answers, and that others refuse in what they are given back. */
function plain(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages;
  return messages.map((message) => {
    const { annotations, ...others } = objectOf(message);
    return Array.isArray(annotations) && annotations.length === 0 ? others : (message as unknown);
  });
}

/** A relayed request is the client's own, but for the model's name, what is named, and the usage that is asked for. */
function relayed(request: Json, asked: Json, told: string): Problem[] {
  const names = new Set([...Object.keys(request), ...Object.keys(asked)]);
  names.delete('model');
  // In Gemini's path.
  if (asked.contents !== undefined) names.delete('stream');
  const { stream, stream_options: own } = request;
  const wanted = { ...(own as Json | undefined), ...ASKED_USAGE };
  if (stream === true && Bun.deepEquals(asked.stream_options, wanted)) names.delete('stream_options');
  return [...names]
    .filter((name) => !Bun.deepEquals(plain(request[name]), asked[name]) && !told.includes(name))
    .map((name) => ({
      aspect: 'request' as const,
      text: `${name} is relayed as ${shown(asked[name])}, not ${shown(request[name])}`,
    }));
}
