/**
 * Checks how a recorded failure is reported to clients and classified: by status and message, written independently of
 * the source.
 */
import type { Client, Problem } from '../answers/compare.ts';
import type { Lab } from '../lab/lab.ts';
import type { Api, Recorded } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import { vendorOf } from '../lab/vendors.ts';
import { textOf } from '../read/exchange.ts';
import { listOf, objectOf, objectsOf, parseJson, shown, stringOf } from '../read/json.ts';

/** Messages that say more than the status. The first match counts. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /prompt is too long|too many tokens|length of all messages is too long|exceeds the context window/i,
    'context_length',
  ],
  [/maximum context length|maximum number of tokens allowed|input tokens exceeded/i, 'context_length'],
  [/exceeded max context length|available context size|context length is only/i, 'context_length'],
  [/insufficient_quota|credit balance is too low|insufficient balance/i, 'billing'],
  [/API key not valid|Incorrect API key provided|Invalid API Key/i, 'auth'],
  [/requested model '.*' does not exist|"model_not_found"|DeploymentNotFound/i, 'not_found'],
  [/"model: |models?\/\S+ (?:is )?not found for|publisher model .* not found/i, 'not_found'],
  [/model identifier is invalid/i, 'no_endpoint'],
  [/"tool_use_failed"/, 'failed_generation'],
];

const STATUSES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'auth',
  402: 'unaffordable',
  403: 'forbidden',
  404: 'no_endpoint',
  413: 'declined',
  422: 'invalid_request',
  429: 'rate_limited',
  498: 'overloaded',
  501: 'no_endpoint',
  503: 'overloaded',
  529: 'overloaded',
};

const QUESTIONS: Readonly<Record<Client, Json>> = {
  chat: { messages: [{ role: 'user', content: 'Hi' }] },
  messages: { max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
  responses: { input: 'Hi' },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
};

/** The expected fault. */
function faultOf({ status, body }: Recorded): string {
  const said = status < 500 ? WORDS.find(([pattern]) => pattern.test(textOf(body)))?.[1] : undefined;
  return said ?? STATUSES[status] ?? (status >= 500 ? 'server' : 'invalid_request');
}

/** The problems of one failure, as reported to one client. */
export async function checkFailure(
  lab: Lab,
  recorded: Recorded,
  api: Api,
  { client, number }: { client: Client; number: number },
): Promise<Problem[]> {
  const { type, model } = vendorOf(api, recorded.provider, client);
  const { status, headers, body } = recorded;
  const got = await lab.ask({
    client,
    body: QUESTIONS[client],
    provider: lab.fresh(type),
    model: model(number),
    reply: { status, headers, body },
  });
  if (got.status < 400) return [{ aspect: 'status', text: `${status} is told as ${got.status}` }];
  const told = objectOf(parseJson(textOf(got.body)));
  const error = objectOf(told.error);
  const problems: Problem[] = [];
  const attempt = client === 'gemini' ? attemptIn(error) : objectsOf(error.details)[0];
  const expected = faultOf(recorded);
  // A relayed error is the provider's own, without anything added.
  if ((client !== api || attempt) && attempt?.fault !== expected)
    problems.push({
      aspect: 'fault',
      text: `${status} is taken for ${shown(attempt?.fault)}, not ${expected}`,
    });
  if (!stringOf(error.message) || !stringOf(client === 'gemini' ? error.status : error.type))
    problems.push({ aspect: 'schema', text: `an error without words: ${shown(told)}` });
  if (client === 'messages' && told.type !== 'error')
    problems.push({ aspect: 'schema', text: 'an error of Messages without its type' });
  const words = wordsOf(body);
  // Messages about the proxy's own key at the provider are not for clients.
  const isOurs = ['auth', 'billing', 'forbidden'].includes(expected);
  if (words && !isOurs && !solid(String(error.message)).includes(solid(words)))
    problems.push({ aspect: 'text', text: `it says ${shown(error.message)}, not ${shown(words)}` });
  return problems;
}

/** Gemini's errors list the attempts as text: `target: fault (status)`. */
function attemptIn(error: Json): Json | undefined {
  const entries = objectsOf(error.details).flatMap(({ stackEntries }) => listOf(stackEntries));
  const fault = /: (\w+)(?: \(\d+\))?$/.exec(String(entries[0]))?.[1];
  return fault === undefined ? undefined : { fault };
}

/** The beginning of the provider's message: keys and accounts further on may be redacted. */
function wordsOf(body: Uint8Array): string | undefined {
  const value = parseJson(textOf(body));
  const first = objectOf(Array.isArray(value) ? value[0] : value);
  const message = stringOf(objectOf(first.error).message) ?? stringOf(first.message);
  return message?.slice(0, 30);
}

function solid(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
