/** Recorded requests of clients, said to every provider: understood with nothing lost, or refused for a reason. */
import type { JsonObject } from '../../../src/wire/json.ts';
import type { SchemaName } from '../openapi.ts';
import type { Recorded } from './exchange.ts';
import { ProxyError } from '../../../src/errors.ts';
import { COUNTING } from '../../../src/pipeline/lanes/count.ts';
import { EMBEDDINGS } from '../../../src/pipeline/lanes/embed.ts';
import { PROTOCOLS } from '../../../src/pipeline/lanes/translate.ts';
import { clientOf } from '../../../src/wire/clients.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { NO_MEMORY } from '../../../src/wire/protocol.ts';
import { openapiProblems } from '../openapi.ts';
import { apiOf } from './exchange.ts';

export interface Asked {
  readonly problems: readonly string[];
  /** Why it was not said to a provider, for each that it was not said to. */
  readonly refused: readonly string[];
  /** To how many protocols it was said. */
  readonly said: number;
}

type Client = 'chat' | 'messages' | 'responses';

/** How OpenAI's document names the requests of its protocols. */
const OPENAPI: Readonly<Record<string, SchemaName>> = {
  chat: 'CreateChatCompletionRequest',
  responses: 'CreateResponse',
};

const context = { created: 1, newId: () => 'id', memory: NO_MEMORY };

/** Everything that a client's request can be said as, by the protocol's name. */
type Ways = readonly (readonly [name: string, say: (request: JsonObject) => JsonObject])[];

const names = <T extends string>(table: Readonly<Record<T, unknown>>) => Object.keys(table) as T[];

function chats(api: Client): Ways {
  const encoding = { ...context, model: 'm', quirks: {} };
  const decode = (request: JsonObject) => clientOf(api).decode({ model: 'm', ...request }, context).request;
  return names(PROTOCOLS).map((name) => [
    name,
    (request) => PROTOCOLS[name].encode(decode(request), encoding).body,
  ]);
}

function counts(api: Client): Ways {
  const encoding = { ...context, model: 'm', quirks: {} };
  const decode = (request: JsonObject) =>
    clientOf(api).decode({ max_tokens: 1, ...request }, context).request;
  return names(COUNTING).map((name) => [
    `counting of ${name}`,
    (request) => COUNTING[name].encode(decode(request), encoding),
  ]);
}

const VECTORS: Ways = names(EMBEDDINGS).map((name) => [
  `embeddings of ${name}`,
  (request) =>
    EMBEDDINGS[name].encode(request, name === 'bedrock' ? 'amazon.titan-embed-text-v2:0' : 'm').body,
]);

/** Whose protocol a request is in, and how it can be said; `undefined` for what clients do not ask here. */
function asking(recorded: Recorded): readonly [api: Client | 'embeddings', Ways] | undefined {
  const path = recorded.url.replace(/[?#].*$/, '');
  const api = apiOf(recorded);
  if (api === 'chat' || api === 'messages' || api === 'responses') return [api, chats(api)];
  if (path.endsWith('/v1/messages/count_tokens')) return ['messages', counts('messages')];
  if (path.endsWith('/v1/responses/input_tokens')) return ['responses', counts('responses')];
  return path.endsWith('/v1/embeddings') ? ['embeddings', VECTORS] : undefined;
}

/** A client's request must be understood, and be said to every provider that can take it. */
export function checkRequest(recorded: Recorded): Asked | undefined {
  const { request, status, url } = recorded;
  const found = request && asking(recorded);
  if (!found) return undefined;
  const [api, ways] = found;
  const problems: string[] = [];
  const refused: string[] = [];
  const words = api === 'embeddings' ? textsIn(request.input) : wordsOf(request, api);
  for (const [name, say] of ways) {
    try {
      const body = say(request);
      // What a vendor refused is no request to measure by; it must only not break anything.
      if (status >= 300) continue;
      // What a vendor's own words in a chat request mean elsewhere is not OpenAI's to say.
      const theirs = api === 'chat' && !url.includes('api.openai.com');
      const schema = theirs ? undefined : OPENAPI[name];
      if (schema) problems.push(...openapiProblems(schema, body).slice(0, 2));
      problems.push(...lost(words, body).map((word) => `${name} is not told ${JSON.stringify(word)}`));
    } catch (cause) {
      const known = cause instanceof ProxyError && ['unsupported', 'invalid_request'].includes(cause.fault);
      if (known) refused.push(`${api} to ${name}: ${plain(cause.message)}`);
      else problems.push(`cannot be asked of ${name}: ${(cause as Error).message}`);
    }
  }
  return { problems, refused, said: ways.length - refused.length };
}

/** Places in lists say nothing about why. */
function plain(message: string): string {
  return message.replaceAll(/\d+/g, 'N').slice(0, 120);
}

/** Texts and names of tools that a request holds, by the plainest reading. */
function wordsOf(request: JsonObject, api: Client): string[] {
  const turns = listOf(api === 'responses' ? request.input : request.messages)
    .map(objectOf)
    // Reasoning is for those that want it back.
    .filter(({ type }) => type !== 'reasoning');
  const whole = [request.system, request.instructions, request.input].map(textsIn);
  const said = turns.map(({ content, output }) => [...textsIn(content), ...textsIn(output)]);
  return [...whole, ...said, toolsOf(request, api)]
    .flat()
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Names of tools, unless only some of them may be called: then vendors are told of those alone. */
function toolsOf({ tools, tool_choice: choice }: JsonObject, api: Client): string[] {
  const { type } = objectOf(choice);
  if (choice === 'none' || (isObject(choice) && type !== 'auto' && type !== 'any')) return [];
  return listOf(tools)
    .map(objectOf)
    .filter((tool) => tool.type === 'function' || (api === 'messages' && isObject(tool.input_schema)))
    .map((tool) => stringOf(tool.name ?? objectOf(tool.function).name) ?? '');
}

/** The texts and numbers in a value. */
function leavesOf(value: unknown): string[] {
  if (Array.isArray(value)) return (value as unknown[]).flatMap(leavesOf);
  if (isObject(value)) return Object.values(value).flatMap(leavesOf);
  return value === null || value === undefined ? [] : [String(value)];
}

/** A text, or the texts of parts, and of parts within a tool's result. */
function textsIn(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  return listOf(content)
    .map((part) => (typeof part === 'string' ? { text: part } : objectOf(part)))
    .flatMap((part) => (part.type === 'tool_result' ? textsIn(part.content) : [stringOf(part.text) ?? '']));
}

/** Words that are nowhere in a body, shortened. */
function lost(words: readonly string[], body: JsonObject): string[] {
  const all = leavesOf(body).join('\n');
  // Results that are JSON go to some vendors as such, which numbers of many digits would not survive.
  const isSaid = (word: string) =>
    all.includes(word) ||
    (!/\d{16}/.test(word) && leavesOf(parseJson(word) ?? word).every((leaf) => all.includes(leaf.trim())));
  return words.filter((word) => !isSaid(word)).map((word) => word.slice(0, 80));
}
