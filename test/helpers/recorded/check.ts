/** A recorded exchange through the decoders and out again in every client's protocol. */
import type { ChatChunk, ChatResponse } from '../../../src/wire/chat.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import type { Encoded, Framing } from '../../../src/wire/protocol.ts';
import type { Api, Recorded } from './exchange.ts';
import type { Truth } from './truth.ts';
import { PROTOCOLS } from '../../../src/pipeline/lanes/translate.ts';
import { QUIRKS } from '../../../src/providers/quirks.ts';
import { classifyBody, classifyStatus } from '../../../src/wire/classify.ts';
import { clientOf } from '../../../src/wire/clients.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { chatAssembler } from '../../../src/wire/openai/assemble.ts';
import { openaiUsage } from '../../../src/wire/usage.ts';
import { checkChatStream } from '../grammar/chat.ts';
import { checkMessagesStream } from '../grammar/messages.ts';
import { checkResponsesStream } from '../grammar/responses.ts';
import { textOf } from './exchange.ts';
import { expectedFinish, expectedUsage } from './expected.ts';
import { isStream, truthOf } from './truth.ts';
import { NO_MEMORY } from '../../../src/wire/protocol.ts';

/** The vendors whose quirks the recordings need, by the index's names. */
const VENDORS: Readonly<Record<string, keyof typeof QUIRKS>> = { xai: 'xai', perplexity: 'perplexity-sonar' };

function encodedFor(api: Api, provider: string): { encoded: Encoded; framing: Framing } {
  let ids = 0;
  const vendor = VENDORS[provider];
  const quirks = api === 'chat' && vendor ? (QUIRKS[vendor] ?? {}) : {};
  const context = { model: 'm', quirks, created: 1, newId: () => `id${(ids += 1)}`, memory: NO_MEMORY };
  const protocol = PROTOCOLS[api === 'messages' ? 'messages' : api];
  const request = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };
  return { encoded: protocol.encode(request, context), framing: protocol.framing() };
}

/** What is wrong with how an answer is understood. Empty when all is as recorded. */
export function checkAnswer(recorded: Recorded, api: Api, places: readonly (readonly number[])[]): string[] {
  const truth = truthOf(recorded, api);
  if (!isStream(recorded)) return checkWhole(recorded, api, truth);
  return places.flatMap((cuts) => checkStream(recorded, api, truth, cuts));
}

function checkWhole(recorded: Recorded, api: Api, truth: Truth): string[] {
  const value = parseJson(textOf(recorded.body));
  const body = objectOf(Array.isArray(value) ? value[0] : value);
  if (classifyBody(body)) return truth.error ? [] : ['is taken for an error'];
  const { encoded } = encodedFor(api, recorded.provider);
  const answer = encoded.decode(body);
  const streamed = Array.isArray(value) && value.length > 1;
  return [
    ...(streamed ? [] : compare(answer, truth, api, recorded.provider)),
    ...checkClients(answer, [], truth),
  ];
}

function checkStream(recorded: Recorded, api: Api, truth: Truth, cuts: readonly number[]): string[] {
  const { encoded, framing } = encodedFor(api, recorded.provider);
  const reader = encoded.stream();
  const chunks: ChatChunk[] = [];
  let start = 0;
  for (const end of [...cuts.filter((cut) => cut < recorded.body.length), recorded.body.length]) {
    for (const event of framing.push(recorded.body.subarray(start, end))) chunks.push(...reader.push(event));
    start = end;
  }
  for (const event of framing.end()) chunks.push(...reader.push(event));
  if (reader.error) {
    if (!classifyBody(reader.error)) return ['has an error that is not classified'];
    return truth.error ? [] : [`is taken for an error: ${JSON.stringify(reader.error).slice(0, 200)}`];
  }
  if (truth.error) return ['has an error that is not noticed'];
  chunks.push(...reader.end());
  const assembler = chatAssembler();
  for (const chunk of chunks) assembler.push(chunk);
  const answer = assembler.result() as unknown as ChatResponse;
  const problems =
    truth.ended === assembler.finished ? [] : [`ends: ${assembler.finished}, not ${truth.ended}`];
  if (reader.malformed > 0) problems.push(`${reader.malformed} events could not be read`);
  if (!truth.ended) return problems;
  return [
    ...problems,
    ...compare(answer, truth, api, recorded.provider),
    ...checkClients(answer, chunks, truth),
  ];
}

function compare(answer: ChatResponse, truth: Truth, api: Api, provider: string): string[] {
  const problems: string[] = [];
  const same = (what: string, given: unknown, wanted: unknown) => {
    if (!Bun.deepEquals(given, wanted))
      problems.push(
        `${what} is ${JSON.stringify(given)?.slice(0, 200)}, not ${JSON.stringify(wanted)?.slice(0, 200)}`,
      );
  };
  const choice = answer.choices[0];
  if (!choice) return ['has no choice'];
  const { content, reasoning_content: reasoning, tool_calls: calls } = choice.message;
  same('text', content ?? '', truth.text);
  same('reasoning', (reasoning ?? '').replaceAll(/\s+/g, ''), truth.reasoning.replaceAll(/\s+/g, ''));
  same(
    'calls',
    (calls ?? []).map(({ function: fn }) => [fn.name, parseJson(fn.arguments || '{}')]),
    truth.calls
      .filter(Boolean)
      .map(([name, text]) => [name, parseJson(text && text !== 'null' ? text : '{}')]),
  );
  // Some recorders left the finish reason of a whole answer out.
  if (truth.finish !== undefined) same('finish', choice.finish_reason, expectedFinish(api, truth));
  const usage = expectedUsage(api, provider, truth);
  if (usage) same('usage', openaiUsage(answer.usage), usage);
  return problems;
}

const ASKED = {
  chat: {
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
  },
  messages: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], stream: true },
  responses: { model: 'm', input: 'Hi', stream: true },
} as const;

/** The answer in each client's protocol: what it says must be the same, and a stream must keep the grammar. */
function checkClients(answer: ChatResponse, chunks: readonly ChatChunk[], truth: Truth): string[] {
  return (Object.keys(ASKED) as (keyof typeof ASKED)[]).flatMap((endpoint) => {
    let ids = 0;
    const context = { created: 1, newId: () => `id${(ids += 1)}`, memory: NO_MEMORY };
    const understood = clientOf(endpoint).decode(ASKED[endpoint], context);
    const whole = understood.encode(answer);
    // Messages has no place for a refusal but the text.
    const refusal = endpoint === 'messages' ? (answer.choices[0]?.message.refusal ?? '') : '';
    const same = textIn(whole) === truth.text + refusal || answer.choices.length > 1;
    const problems = same ? [] : ['whole: another text'];
    if (chunks.length === 0) return problems.map((problem) => `${endpoint}: ${problem}`);
    const writer = understood.stream();
    const sse = chunks.map((chunk) => writer.push(chunk)).join('') + writer.end();
    const found = GRAMMARS[endpoint](sse);
    problems.push(...found.problems.filter((problem) => !isTheirs(problem, truth)));
    if (textIn(found.value) !== textIn(whole)) problems.push('stream: another text');
    return problems.map((problem) => `${endpoint}: ${problem}`);
  });
}

/** Arguments that the model left broken are passed on as they are. */
function isTheirs(problem: string, { calls }: Truth): boolean {
  if (!/no (?:JSON )?object/.test(problem)) return false;
  return calls.some(([, text]) => text !== '' && !isObject(parseJson(text)));
}

const GRAMMARS = {
  chat(sse: string) {
    const { answer: value, problems } = checkChatStream(sse);
    return { value, problems };
  },
  messages(sse: string) {
    const { message: value, problems } = checkMessagesStream(sse);
    return { value, problems };
  },
  responses(sse: string) {
    const { response: value, problems } = checkResponsesStream(sse);
    return { value, problems };
  },
} as const;

/** What a whole answer of a client's protocol says. */
function textIn(answer: JsonObject): string {
  const parts = listOf(answer.content ?? objectOf(objectOf(listOf(answer.choices)[0]).message).content);
  const said = stringOf(objectOf(objectOf(listOf(answer.choices)[0]).message).content);
  if (said !== undefined) return said;
  const items = listOf(answer.output).flatMap((item) => listOf(objectOf(item).content));
  return [...parts, ...items].map((part) => stringOf(objectOf(part).text) ?? '').join('');
}

/** What is wrong with how an error answer is classified. */
export function checkError({ status, headers, body }: Recorded): string[] {
  const { fault, upstream } = classifyStatus(status, headers, textOf(body));
  const allowed = FAULTS[status] ?? (status >= 500 ? ['server'] : ['invalid_request']);
  const problems = allowed.includes(fault)
    ? []
    : [`${status} is taken for ${fault}: ${upstream.message.slice(0, 120)}`];
  if (body.length > 0 && upstream.message === '') problems.push(`${status} says nothing`);
  return problems;
}

/** What a status may be taken for: its own meaning, or a narrower one that the words tell. */
const FAULTS: Readonly<Record<number, readonly string[]>> = {
  400: [
    'invalid_request',
    'context_length',
    'content_policy',
    'auth',
    'not_found',
    'billing',
    'rate_limited',
  ],
  401: ['auth'],
  402: ['billing'],
  403: ['auth', 'context_length', 'billing'],
  404: ['not_found'],
  408: ['server'],
  413: ['invalid_request', 'context_length'],
  422: ['invalid_request'],
  424: ['invalid_request', 'server'],
  429: ['rate_limited', 'billing', 'context_length', 'overloaded'],
  498: ['overloaded', 'auth'],
  503: ['overloaded'],
  529: ['overloaded'],
};
