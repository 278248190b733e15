/** What error answers mean, by their status and their words, written down once more beside the classifier. */
import type { Recorded } from './exchange.ts';
import { classifyStatus } from '../../../src/wire/classify.ts';
import { textOf } from './exchange.ts';

/** Words that say more than the status. The first that fits counts. */
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

/** What is wrong with how an error answer is classified. */
export function checkError({ status, headers, body }: Recorded): string[] {
  const text = textOf(body);
  const { fault, upstream } = classifyStatus(status, headers, text);
  const said = status < 500 ? WORDS.find(([pattern]) => pattern.test(text))?.[1] : undefined;
  const expected = said ?? STATUSES[status] ?? (status >= 500 ? 'server' : 'invalid_request');
  const problems =
    fault === expected
      ? []
      : [`${status} is taken for ${fault}, not ${expected}: ${upstream.message.slice(0, 120)}`];
  if (body.length > 0 && upstream.message === '') problems.push(`${status} says nothing`);
  return problems;
}
