import type { ChatResponse } from '../../wire/chat.ts';
import type { Issued } from '../../wire/parts/issued.ts';
import type { Passing } from '../streams/passing.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type {
  Encoded,
  ProtocolName,
  ProviderProtocol,
  ReplayMemory,
  Understood,
} from '../../wire/protocol.ts';
import type { Restorer } from '../../redact/outward/restorer.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { anthropicProtocol } from '../../wire/anthropic/protocol.ts';
import { converseProtocol } from '../../wire/bedrock/protocol.ts';
import { clientOf } from '../../wire/clients.ts';
import { cohereProtocol } from '../../wire/cohere/protocol.ts';
import { geminiProtocol } from '../../wire/gemini/protocol.ts';
import { endingOf } from '../../wire/endings.ts';
import { applyOverride } from '../../wire/facts/override.ts';
import { foreignHeaders } from '../../wire/headers.ts';
import { readingFirst, readingFirstInSteps } from '../../wire/json-ahead.ts';
import { callInputsWithin, jsonWithinAnswer, jsonWithinRequest } from '../../wire/json-within.ts';
import { writingFirst } from '../../wire/json-written.ts';
import { streamInSteps } from '../../wire/long-events.ts';
import { fit } from '../../wire/fit.ts';
import type { OwnNames } from '../../wire/facts/tool-names.ts';
import { exactly } from '../../wire/json-exact.ts';
import { isObject, numberOf, PIECE_BOUNDS } from '../../wire/json.ts';
import { USAGE_FIELD } from '../../wire/openai/unrequested-usage.ts';
import { canonicalAssembler } from '../../wire/parts/assemble.ts';
import { canonicalChunks } from '../../wire/parts/chunks.ts';
import { sealedWith } from '../../wire/parts/issued.ts';
import { Lost } from '../../wire/parts/lost.ts';
import { partsOf } from '../../wire/parts/message.ts';
import { remember } from '../../wire/parts/order.ts';
import { chatProtocol } from '../../wire/openai/protocol.ts';
import { RestoredEvents } from '../../redact/outward/restore-events.ts';
import { CHAT_STREAM, SIGNING_CHAT_STREAM } from '../../redact/outward/streams/chat.ts';
import { mergeQuirks } from '../../wire/quirks.ts';
import { responsesProtocol } from '../../wire/responses/protocol.ts';
import { openaiUsage } from '../../wire/usage.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';
import { parseRewritable } from './answer.ts';
import { checkAnswer } from './check.ts';
import { issuedFor } from './issuer.ts';
import { judge, judgeCalls, judgeCut, judgeEnding, worstEnding } from './judge.ts';
import { TranslateFold } from './translate-fold.ts';

/** How each protocol encodes requests and decodes answers. */
export const PROTOCOLS: Readonly<Record<ProtocolName, ProviderProtocol>> = {
  chat: chatProtocol,
  messages: anthropicProtocol,
  responses: responsesProtocol,
  gemini: geminiProtocol,
  converse: converseProtocol,
  cohere: cohereProtocol,
};

/** Protocols in which arguments are JSON values, unlike the text in chat. */
const READS_JSON: ReadonlySet<ProtocolName> = new Set(['messages', 'gemini', 'converse']);

/** The features that an Anthropic client requests by header. */
const BETAS = 'anthropic-beta';

/** For providers that must not be asked for the usage of a stream. */
const ASKS_NO_USAGE: Quirks = { drops: [USAGE_FIELD] };

/** For providers that have just refused to compile a schema. */
const COMPILES_NO_SCHEMA: Quirks = { abilities: { json_schema: false } };

/** For targets that rejected calls without signatures, although others with such a model accept them. */
const SIGNS_CALLS: Quirks = { signsCalls: true };

/** Protocols in which reasoning is signed or encrypted: it must stay as the provider wrote it. */
const SIGNS: ReadonlySet<ProtocolName> = new Set(['messages', 'responses', 'converse']);

/** Translates between a client and a provider with different protocols, through the canonical form. */
export const translate: Lane = {
  kind: 'translate',
  *prepare(inbound: Inbound, context: LaneContext): Steps<Prepared> {
    const { provider, model, nowMs, newId, memory, redaction, schemaless = false } = context;
    const created = Math.floor(nowMs / 1000);
    const client = yield* understood(inbound, context);
    // An answer may echo fields of the request, which the client knows as it sent them.
    const answering = redaction ? yield* understood(redaction.requested, context) : client;
    const restorer = redaction?.restorer;
    yield;
    const name = provider.protocol(model, client.request);
    const protocol = PROTOCOLS[name];
    const own = provider.quirks(model);
    const asking = context.usage === 'never' ? mergeQuirks(own, ASKS_NO_USAGE) : own;
    const compiling = schemaless ? mergeQuirks(asking, COMPILES_NO_SCHEMA) : asking;
    const issued = issuedFor(provider, model, context);
    const quirks = context.signsCalls ? mergeQuirks(compiling, SIGNS_CALLS) : compiling;
    const fitted = fit(client.request, { protocol: name, model, quirks, issued, memory, schemaless });
    yield;
    const betas = inbound.headers[BETAS];
    const coding = { model, quirks, created, newId, memory: issued.view, betas };
    const encode = () => protocol.encode(fitted.request, coding);
    const encoded = READS_JSON.has(name)
      ? yield* readingFirst(jsonWithinRequest(fitted.request), PIECE_BOUNDS, encode)
      : encode();
    yield;
    const changed = quirks.override && applyOverride(encoded.body, quirks.override);
    const body = yield* writeBody(changed?.body ?? encoded.body);
    const left = [client, fitted, encoded, changed ?? { dropped: [] }];
    const dropped = [...new Set(left.flatMap((each) => each.dropped))];
    // Chat passes arguments on as text.
    const strict = inbound.endpoint !== 'chat';
    const reading: Reading = {
      name,
      encoded,
      names: fitted.names,
      strict,
      answering,
      keep: (answer) => keep(answer, memory, issued, restorer),
    };
    return {
      endpoint: name === 'responses' ? 'responses' : 'chat',
      protocol: name,
      body,
      contentType: 'application/json',
      headers: { ...foreignHeaders(inbound.headers), ...encoded.headers },
      // A client of another protocol did not request usage: its protocol always reports it.
      dropped: dropped.filter((name) => inbound.endpoint === 'chat' || name !== USAGE_FIELD),
      asksUsage: name === 'chat' && inbound.stream && !quirks.drops?.includes(USAGE_FIELD),
      sealed: fitted.sealed,
      schemas: fitted.schemas,
      whole: (text, target) => translatedWhole(text, target, reading),
      wholeAsStream: (text, target) => translatedAsStream(text, target, reading),
      tap(maxBytes) {
        const shown = (answer: JsonObject) => answering.encode(answer as unknown as ChatResponse);
        const answers = dropped.includes('n') ? 1 : (numberOf(client.request.n) ?? 1);
        const tap = new Tap(CANONICAL, maxBytes, answers, shown);
        // Usage is requested from every provider.
        tap.awaitsUsage = true;
        return tap;
      },
      fold(tap, target) {
        tap.lost = new Lost();
        return new TranslateFold(tap, target, {
          framing: protocol.framing(),
          reader: encoded.stream(),
          writer: answering.stream(undefined, tap.lost),
          strict,
          names: fitted.names,
          keep: reading.keep,
          restored:
            restorer && new RestoredEvents(SIGNS.has(name) ? SIGNING_CHAT_STREAM : CHAT_STREAM, restorer),
        });
      },
    };
  },
};

/** Decodes a client's request. */
function* understood(inbound: Inbound, { nowMs, newId, memory, elapsedMs }: LaneContext): Steps<Understood> {
  const body = inbound.json ? exactly(inbound.json.text, inbound.json.value) : {};
  const created = Math.floor(nowMs / 1000);
  const context = { created, newId, memory, requested: inbound, elapsedMs };
  return yield* writingFirst(
    () => callInputsWithin(body),
    inbound.bytes.length,
    () => clientOf(inbound.endpoint).decode(body, context),
  );
}

/** How canonical chunks pass. */
const CANONICAL: Passing = { ...passingOf('chat'), assembler: canonicalAssembler };

/**
 * Remembers what must be sent back of an answer, and its issuer.
 * @param restorer of the answer: what is remembered is inserted into later requests after their redaction
 */
function keep(
  { choices }: Pick<ChatResponse, 'choices'>,
  memory: ReplayMemory,
  issued: Issued,
  restorer: Restorer | undefined,
): void {
  for (const { message } of choices) {
    const own = partsOf(message);
    const parts = restorer
      ? own.map((part) => (part.type === 'thinking' ? { ...part, text: restorer.hidden(part.text) } : part))
      : own;
    for (const part of parts) for (const value of sealedWith(part)) issued.note(value);
    for (const part of parts) {
      // Clients may drop Google's signature of a call.
      if (part.type !== 'call' || part.call.extra_content === undefined) continue;
      memory.set(part.call.id, { ...memory.get(part.call.id), extra_content: part.call.extra_content });
    }
    remember(parts, memory);
  }
}

/** The client's protocol requires a finish reason for each choice, even if the provider sent none. */
function withEndings(answer: ChatResponse): ChatResponse {
  const choices = answer.choices.map((choice) => {
    const plain = (choice.message.tool_calls?.length ?? 0) > 0 ? 'tool_calls' : 'stop';
    return { ...choice, finish_reason: choice.finish_reason ?? plain };
  });
  return { ...answer, choices };
}

/** How the answer to a request is read and written. */
interface Reading {
  readonly name: ProtocolName;
  readonly encoded: Encoded;
  readonly names: OwnNames;
  readonly strict: boolean;
  readonly answering: Understood;
  readonly keep: (answer: Pick<ChatResponse, 'choices'>) => void;
}

function* translatedWhole(text: string, target: string, reading: Reading): Steps<WholeAnswer> {
  const answer = yield* readWhole(text, target, reading);
  yield;
  const lost = new Lost();
  const written = yield* readingFirst(jsonWithinAnswer(answer), PIECE_BOUNDS, () => {
    judgeWhole(answer, target, reading.strict);
    reading.keep(answer);
    return reading.answering.encode(withEndings(answer), lost);
  });
  const endings = answer.choices.map(({ finish_reason }) => endingOf('chat', finish_reason));
  const finish = worstEnding(endings)?.finish ?? null;
  const usage = openaiUsage(answer.usage);
  return { text: yield* writeBody(written), finish, usage, lost: lost.names() };
}

function* translatedAsStream(
  text: string,
  target: string,
  reading: Reading,
): Steps<Uint8Array<ArrayBuffer> | undefined> {
  const answer = yield* readWhole(text, target, reading);
  const events = judgedAsStream(answer, target, reading);
  return yield* readingFirstInSteps(jsonWithinAnswer(answer), PIECE_BOUNDS, events);
}

function* judgedAsStream(
  answer: ChatResponse,
  target: string,
  reading: Reading,
): Steps<Uint8Array<ArrayBuffer>> {
  judgeWhole(answer, target, reading.strict);
  return yield* streamInSteps(canonicalChunks(answer), reading.answering.stream());
}

function* readWhole(
  text: string,
  target: string,
  { name, encoded, names }: Pick<Reading, 'name' | 'encoded' | 'names'>,
): Steps<ChatResponse> {
  const value = yield* parseRewritable(text, target);
  // Gemini's errors come in lists, and so do its answers if a stream without events is requested.
  const body = Array.isArray(value) ? (value[0] as unknown) : value;
  if (isObject(body)) judge(body, target);
  if (!isObject(body) || (Array.isArray(value) && name !== 'gemini')) {
    throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a JSON object`, {
      target,
    });
  }
  checkAnswer(name, body, target);
  const exact = exactly(text, body);
  return yield* writingFirst(
    () => callInputsWithin(exact),
    text.length,
    () => names.answer(encoded.decode(exact)),
  );
}

/** Throws when the ending of the answer is a fault. */
function judgeWhole(answer: ChatResponse, target: string, strict: boolean): void {
  for (const { message, finish_reason: finish } of answer.choices) {
    const ending = endingOf('chat', finish);
    judgeEnding(ending, target);
    judgeCut(ending, message.tool_calls, target);
    if (strict && (finish === 'stop' || finish === 'tool_calls')) judgeCalls(message.tool_calls, target);
  }
}
