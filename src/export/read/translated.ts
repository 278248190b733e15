import type { ChatMessage } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Entry, Facts } from './facts.ts';
import type { RejectReason } from '../errors.ts';
import { ProxyError } from '../../errors.ts';
import { decodeAnthropicResponse } from '../../wire/anthropic/response.ts';
import { clientOf } from '../../wire/clients.ts';
import { decodeGeminiResponse } from '../../wire/gemini/response.ts';
import { isInfinite } from '../conversation/json.ts';
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import { decodeInteraction } from '../../wire/interactions/answer.ts';
import { decodeOllamaResponse } from '../../wire/ollama/response.ts';
import { decodeResponse } from '../../wire/responses/response.ts';
import { wholeTurns } from '../../wire/parts/whole-turns.ts';
import { NO_MEMORY } from '../../wire/protocol.ts';
import { HIDDEN } from './hidden.ts';
import { answersApart, isCommentaryOnly } from './phases.ts';

/** Endpoints whose exchanges must be converted to chat, and how their answers are decoded. */
export const DECODERS = {
  messages: decodeAnthropicResponse,
  responses: decodeResponse,
  gemini: decodeGeminiResponse,
  'gemini.interactions': decodeInteraction,
  'ollama.chat': decodeOllamaResponse,
  'ollama.generate': decodeOllamaResponse,
} as const;

export type Foreign = keyof typeof DECODERS;

export function isForeign(endpoint: string): endpoint is Foreign {
  return Object.hasOwn(DECODERS, endpoint);
}

/** An exchange of another protocol than OpenAI's chat, as the equivalent chat. */
export function translated(
  endpoint: Foreign,
  request: JsonObject,
  response: unknown,
  facts: Facts,
): Omit<Entry, 'record'> {
  const unfit = (reject: RejectReason) => ({
    ...facts,
    reject: facts.reject ?? reject,
    request: {},
    answer: {},
  });
  if (endpoint === 'responses' && isContinued(request)) return unfit('stored_conversation');
  const answerBody = objectOf(response);
  if ([...listOf(request.input), ...listOf(answerBody.output)].some(isNoFunction))
    return unfit('unsupported_content');
  if (endpoint === 'gemini.interactions' && (request.previous_interaction_id ?? null) !== null)
    return unfit('stored_conversation');
  const hidden = HIDDEN[endpoint]?.(request, answerBody);
  if (hidden?.content) return unfit('unsupported_content');
  // Decoding would write them as null.
  if (CALL_INPUTS[endpoint]?.(request, answerBody).some(isInfinite)) return unfit('invalid_tool_call');
  let ids = 0;
  // The same line must give the same row: missing ids are numbered.
  const context = { created: 0, model: facts.model, memory: NO_MEMORY, newId: () => String((ids += 1)) };
  try {
    const { request: decoded, dropped } = clientOf(endpoint).decode(spokenApart(endpoint, request), {
      ...context,
      requested: { model: facts.model, stream: false },
    });
    // Only its issuer can read an encrypted compaction.
    if (dropped.some((name) => name.endsWith('(compaction)'))) return unfit('stored_conversation');
    const answer = isObject(response)
      ? DECODERS[endpoint](spokenApart(endpoint, response), context).choices[0]?.message
      : undefined;
    // The model is to be continued: a success for the client, but not an answer.
    const paused =
      (endpoint === 'messages' && answerBody.stop_reason === 'pause_turn') ||
      (endpoint === 'responses' && isCommentaryOnly(listOf(answerBody.output)));
    return {
      ...facts,
      ...(paused ? { failure: facts.failure ?? 'unfinished' } : {}),
      providerTools: hidden?.tools ?? false,
      request: { ...decoded, messages: wholeTurns(decoded.messages).map(spokenAtOnce) },
      answer:
        endpoint === 'messages' && answerBody.stop_reason === 'refusal' ? refused(answer) : { ...answer },
    };
  } catch (cause) {
    if (!(cause instanceof ProxyError)) throw cause;
    return unfit('unsupported_content');
  }
}

/** A request or a response in which each turn of the model has one text. */
function spokenApart(endpoint: Foreign, body: JsonObject): JsonObject {
  if (endpoint !== 'responses') return body;
  const items = Array.isArray(body.output) ? 'output' : 'input';
  const list = body[items];
  return Array.isArray(list) ? { ...body, [items]: answersApart(list) } : body;
}

/** Whether the conversation before it, or an item of it, is stored at the provider. */
function isContinued({ previous_response_id: previous, conversation, input }: JsonObject): boolean {
  return (
    (previous ?? conversation ?? null) !== null ||
    listOf(input).some((item) => objectOf(item).type === 'item_reference')
  );
}

/**
 * An earlier answer with its text in one part, as it was decoded when it was the answer: blocks, into which citations and
 * calls divide a text, continue one another.
 */
function spokenAtOnce(message: ChatMessage): ChatMessage {
  const { role, content } = message;
  if (role !== 'assistant' || !Array.isArray(content) || content.length < 2) return message;
  const text = content.map((part) => (part.type === 'text' ? part.text : undefined));
  return text.includes(undefined) ? message : { ...message, content: text.join('') };
}

type CallInputs = (request: JsonObject, response: JsonObject) => unknown[];

const ollamaInputs: CallInputs = ({ messages }, { message }) =>
  [...listOf(messages), message].flatMap((each) =>
    listOf(objectOf(each).tool_calls).map((call) => objectOf(objectOf(call).function).arguments),
  );

/** The inputs of calls in request and answer, for protocols in which they are objects rather than text. */
const CALL_INPUTS: Readonly<Partial<Record<Foreign, CallInputs>>> = {
  'ollama.chat': ollamaInputs,
  messages: ({ messages }, response) =>
    [...listOf(messages), response].flatMap((message) =>
      listOf(objectOf(message).content).map((block) => objectOf(block).input),
    ),
  'gemini.interactions': ({ input }, { steps }) =>
    [...listOf(input), ...listOf(steps)].map((step) => objectOf(step).arguments),
  gemini: ({ contents }, { candidates }) =>
    [...listOf(contents), ...listOf(candidates).map((candidate) => objectOf(candidate).content)].flatMap(
      (content) => listOf(objectOf(content).parts).map((part) => objectOf(objectOf(part).functionCall).args),
    ),
};

/** Claude refuses in text, and only its stop reason tells that. */
function refused(answer: ChatMessage | undefined): JsonObject {
  return { ...answer, content: null, refusal: answer?.content };
}

/** Client-side calls that are not function calls, and their results: a row would lack them. */
const NO_FUNCTIONS =
  /^(?:(?:local_shell|shell|apply_patch|computer)_call(?:_output)?|mcp_approval_re(?:quest|sponse))$/;

function isNoFunction(item: unknown): boolean {
  return NO_FUNCTIONS.test(stringOf(objectOf(item).type) ?? '');
}
