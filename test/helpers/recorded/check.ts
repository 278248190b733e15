/** A recorded answer through the decoders, whole and cut, against what its JSON plainly says. */
import type { ChatChunk, ChatResponse } from '../../../src/wire/chat.ts';
import type { Encoded, Framing } from '../../../src/wire/protocol.ts';
import type { Api, Recorded } from './exchange.ts';
import type { Truth } from './truth.ts';
import { PROTOCOLS } from '../../../src/pipeline/lanes/translate.ts';
import { QUIRKS } from '../../../src/providers/quirks.ts';
import { classifyBody } from '../../../src/wire/classify.ts';
import { objectOf, parseJson } from '../../../src/wire/json.ts';
import { chatAssembler } from '../../../src/wire/openai/assemble.ts';
import { NO_MEMORY } from '../../../src/wire/protocol.ts';
import { checkClients } from './clients.ts';
import { argumentsOf, differences } from './compare.ts';
import { textOf } from './exchange.ts';
import { expectedFinish, expectedUsage } from './expected.ts';
import { isStream, truthOf } from './truth.ts';

/** The vendors whose quirks the recordings need, by the index's names. */
const VENDORS: Readonly<Record<string, keyof typeof QUIRKS>> = { xai: 'xai', perplexity: 'perplexity-sonar' };

/** How a stream is tried: cut at places, each of which must read the same, and ended early at others. */
export interface Cuts {
  readonly places: readonly (readonly number[])[];
  readonly ends: readonly number[];
}

function encodedFor(api: Api, provider: string): { encoded: Encoded; framing: Framing } {
  let ids = 0;
  const vendor = VENDORS[provider];
  const quirks = api === 'chat' && vendor ? (QUIRKS[vendor] ?? {}) : {};
  const context = { model: 'm', quirks, created: 1, newId: () => `id${(ids += 1)}`, memory: NO_MEMORY };
  const request = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };
  return { encoded: PROTOCOLS[api].encode(request, context), framing: PROTOCOLS[api].framing() };
}

/** What is wrong with how an answer is understood. Empty when all is as recorded. */
export function checkAnswer(recorded: Recorded, api: Api, { places, ends }: Cuts): string[] {
  const truth = truthOf(recorded, api);
  if (!isStream(recorded)) return checkWhole(recorded, api, truth);
  const whole = read(recorded, api, []);
  return [
    ...checkStream(recorded, api, truth, whole),
    ...places.flatMap((cuts) => differences('cut', read(recorded, api, cuts), whole)),
    ...ends.flatMap((end) => checkBroken(recorded, api, end)),
  ];
}

function checkWhole(recorded: Recorded, api: Api, truth: Truth): string[] {
  const value = parseJson(textOf(recorded.body));
  const body = objectOf(Array.isArray(value) ? value[0] : value);
  if (classifyBody(body)) return truth.error ? [] : ['is taken for an error'];
  if (truth.error) return ['has an error that is not noticed'];
  const { encoded } = encodedFor(api, recorded.provider);
  const answer = encoded.decode(body);
  const streamed = Array.isArray(value) && value.length > 1;
  return [
    ...(streamed ? [] : compare(answer, truth, api, recorded.provider)),
    ...checkClients(answer, [], truth),
  ];
}

interface Reading {
  readonly chunks: readonly ChatChunk[];
  readonly answer: ChatResponse;
  /** The answer is complete as the pipeline sees it, at the end of the body. */
  readonly complete: boolean;
  readonly error: Truth['usage'];
  readonly malformed: number;
  /** Ways in which the reader went against its own word. */
  readonly broken: readonly string[];
}

/** Reads a body in pieces, each of which ends at one of the places. */
function read({ body, provider }: Recorded, api: Api, cuts: readonly number[]): Reading {
  const { encoded, framing } = encodedFor(api, provider);
  const reader = encoded.stream();
  const chunks: ChatChunk[] = [];
  const broken: string[] = [];
  const take = (more: readonly ChatChunk[]) => chunks.push(...more);
  let start = 0;
  for (const end of [...cuts.filter((cut) => cut < body.length), body.length]) {
    for (const event of framing.push(body.subarray(start, end))) {
      const { done } = reader;
      const more = reader.push(event);
      if (done && more.length > 0) broken.push('something came when it was done');
      take(more);
      if (reader.error) break;
    }
    if (reader.error) break;
    start = end;
  }
  if (!reader.error) {
    for (const event of framing.end()) take(reader.push(event));
    const { done } = reader;
    const more = reader.end();
    if (done && more.length > 0) broken.push('the end has something that was not to come');
    take(more);
    if (reader.end().length > 0) broken.push('the end says something twice');
  }
  const assembler = chatAssembler();
  for (const chunk of chunks) assembler.push(chunk);
  const complete = reader.error === undefined && (reader.done || assembler.finished);
  const answer = assembler.result() as unknown as ChatResponse;
  return { chunks, answer, complete, error: reader.error, malformed: reader.malformed, broken };
}

function checkStream(recorded: Recorded, api: Api, truth: Truth, reading: Reading): string[] {
  const { chunks, answer, complete, error, malformed, broken } = reading;
  if (error) {
    if (!classifyBody(error)) return ['has an error that is not classified'];
    return truth.error ? [] : [`is taken for an error: ${JSON.stringify(error).slice(0, 200)}`];
  }
  if (truth.error) return ['has an error that is not noticed'];
  const problems = [...broken];
  if (malformed > 0) problems.push(`${malformed} events could not be read`);
  if (complete !== truth.ended) problems.push(`is complete: ${complete}, not ${truth.ended}`);
  if (!truth.ended) return problems;
  if (truth.finish !== undefined) {
    return [
      ...problems,
      ...compare(answer, truth, api, recorded.provider),
      ...checkClients(answer, chunks, truth),
    ];
  }
  // A provider that does not say why it ended is not given a word; its client is.
  const [{ finish_reason: said, ...choice }] = answer.choices as [ChatResponse['choices'][number]];
  const shown = { ...answer, choices: [{ ...choice, finish_reason: expectedFinish(api, truth) }] };
  return [
    ...problems,
    ...differences('finish', said, null),
    ...compare(shown, truth, api, recorded.provider),
    ...checkClients(shown, chunks, truth),
  ];
}

/** A stream that breaks off says what came until then, and does not pass for a complete one. */
function checkBroken(recorded: Recorded, api: Api, end: number): string[] {
  const cut = { ...recorded, body: recorded.body.slice(0, end) };
  const truth = truthOf(cut, api);
  const { answer, complete, error, broken } = read(cut, api, []);
  if (error || truth.error) return Boolean(error) === truth.error ? [] : ['another error'];
  const text = answer.choices[0]?.message.content ?? '';
  return [
    ...broken,
    // With its finish reason an answer says nothing more.
    ...(complete && !truth.ended && truth.finish === undefined ? ['is complete though it broke off'] : []),
    ...differences('text', text, truth.text),
  ].map((problem) => `cut off at ${end}: ${problem}`);
}

function compare(answer: ChatResponse, truth: Truth, api: Api, provider: string): string[] {
  const choice = answer.choices[0];
  if (!choice) return ['has no choice'];
  const { content, reasoning_content: reasoning, tool_calls: calls } = choice.message;
  const usage = expectedUsage(api, provider, truth);
  const given = expectedUsage('chat', 'openai', { usage: answer.usage as Truth['usage'] });
  return [
    ...differences('text', content ?? '', truth.text),
    ...differences('reasoning', reasoning ?? '', truth.reasoning),
    ...differences(
      'calls',
      (calls ?? []).map(({ function: fn }) => [fn.name, argumentsOf(fn.arguments)]),
      truth.calls.filter(Boolean).map(([name, text]) => [name, argumentsOf(text)]),
    ),
    ...differences('finish', choice.finish_reason, expectedFinish(api, truth)),
    ...(usage ? differences('usage', given, usage) : []),
  ];
}
