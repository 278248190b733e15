/** An understood answer, written in every client's protocol and read back by the plain readers. */
import type { ChatChunk, ChatResponse } from '../../../src/wire/chat.ts';
import type { Understood } from '../../../src/wire/protocol.ts';
import type { Truth } from './truth.ts';
import { clientOf } from '../../../src/wire/clients.ts';
import { isObject, parseJson } from '../../../src/wire/json.ts';
import { NO_MEMORY } from '../../../src/wire/protocol.ts';
import { checkChatStream } from '../grammar/chat.ts';
import { checkMessagesStream } from '../grammar/messages.ts';
import { checkResponsesStream } from '../grammar/responses.ts';
import { argumentsOf, differences } from './compare.ts';
import { expectedFinish, expectedUsage } from './expected.ts';
import { truthOf } from './truth.ts';

const ASKED = {
  chat: {
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
  },
  messages: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], stream: true },
  responses: { model: 'm', input: 'Hi', stream: true },
} as const;

type ChatChoice = ChatResponse['choices'][number];
type Endpoint = keyof typeof ASKED;

const ENDPOINTS = ['chat', 'messages', 'responses'] as const satisfies readonly Endpoint[];

const GRAMMARS: Readonly<Record<Endpoint, (sse: string) => { problems: string[] }>> = {
  chat: checkChatStream,
  messages: checkMessagesStream,
  responses: checkResponsesStream,
};

/** The answer in each client's protocol: it must say the same, and its stream must keep the grammar. */
export function checkClients(answer: ChatResponse, chunks: readonly ChatChunk[], truth: Truth): string[] {
  return ENDPOINTS.flatMap((endpoint) => {
    const whole = JSON.stringify(asked(endpoint).encode(answer));
    const problems = said(whole, endpoint, answer).map((problem) => `whole: ${problem}`);
    if (chunks.length > 0) {
      const writer = asked(endpoint).stream();
      const sse = chunks.map((chunk) => writer.push(chunk)).join('') + writer.end();
      const broken = GRAMMARS[endpoint](sse).problems.filter((problem) => !isTheirs(problem, truth));
      problems.push(...[...said(sse, endpoint, answer), ...broken].map((problem) => `stream: ${problem}`));
    }
    return problems.map((problem) => `${endpoint}: ${problem}`);
  });
}

function asked(endpoint: Endpoint): Understood {
  let ids = 0;
  return clientOf(endpoint).decode(ASKED[endpoint], {
    created: 1,
    newId: () => `id${(ids += 1)}`,
    memory: NO_MEMORY,
  });
}

/** What a client would read out of its bytes, against the canonical answer. */
function said(text: string, api: Endpoint, { choices, usage }: ChatResponse): string[] {
  const read = truthOf({ headers: new Headers(), body: new TextEncoder().encode(text) }, api);
  const { message } = choices[0]!;
  const { content, reasoning_content: reasoning, tool_calls: calls } = message;
  const refusal = api === 'messages' ? (message.refusal ?? '') : '';
  const counts = expectedUsage('chat', 'openai', { usage: usage as Truth['usage'] });
  const given = read.calls.map(([name, words]) => [name, argumentsOf(words)]);
  const wanted = (calls ?? []).map(({ function: fn }) => [fn.name, argumentsOf(fn.arguments)]);
  return [
    ...differences('text', read.text, (content ?? '') + refusal),
    // The items of a response are parted where blocks of thinking are not.
    ...differences('reasoning', solid(read.reasoning, api), solid(reasoning ?? '', api)),
    ...differences('calls', given, isWhole(text) && api === 'messages' ? asObjects(wanted) : wanted),
    ...(counts ? differences('usage', expectedUsage(api, 'openai', read), counts) : []),
    ...ends(read),
    ...finishes(api, read, choices[0]!),
  ];
}

function ends({ ended }: Truth): string[] {
  return ended ? [] : ['it does not end'];
}

function finishes(api: Endpoint, read: Truth, { message, finish_reason: finish }: ChatChoice): string[] {
  // Messages calls a refusal by its name, and the deprecated function_call is said in chat alone.
  const refused = api === 'messages' && message.refusal;
  const bare = api !== 'chat' && finish === 'tool_calls' && read.calls.length === 0;
  return differences(
    'finish',
    expectedFinish(api, read),
    refused ? 'content_filter' : bare ? 'stop' : finish,
  );
}

function solid(text: string, api: Endpoint): string {
  return api === 'responses' ? text.replaceAll(/\s+/g, '') : text;
}

function isWhole(text: string): boolean {
  return text.startsWith('{');
}

/** Input of a whole message must be an object: broken arguments are none. */
function asObjects(calls: readonly unknown[][]): unknown[][] {
  return calls.map(([name, input]) => [name, isObject(input) ? input : {}]);
}

/** Arguments that the model left broken are passed on as they are. */
function isTheirs(problem: string, { calls }: Truth): boolean {
  if (!/no (?:JSON )?object/.test(problem)) return false;
  return calls.some(([, text]) => text !== '' && !isObject(parseJson(text)));
}
