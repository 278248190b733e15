/** The required structure of a whole answer, by protocol. */
import type { EmbeddingProtocolName } from '../embeddings.ts';
import type { Endpoint } from '../endpoints.ts';
import type { JsonObject } from '../json.ts';
import type { ProtocolName } from '../protocol.ts';
import type { Shape } from './shape.ts';
import {
  both,
  count,
  each,
  either,
  ends,
  fields,
  kinds,
  list,
  maybe,
  nothing,
  number,
  numbers,
  object,
  text,
  word,
} from './shape.ts';

/** Answers of a protocol's chat, its embeddings, or another endpoint whose answers are parsed. */
export type AnswerKind =
  | ProtocolName
  | `${EmbeddingProtocolName} embeddings`
  | Extract<
      Endpoint,
      | 'completions'
      | 'embeddings'
      | 'messages.count_tokens'
      | 'responses.input_tokens'
      | 'responses.compact'
      | 'gemini.count_tokens'
      | 'gemini.embed'
      | 'gemini.batch_embed'
      | 'gemini.predict'
      | 'gemini.interactions'
      | 'ollama.chat'
      | 'ollama.generate'
      | 'ollama.embed'
      | 'ollama.embeddings'
    >
  | 'ollama line';

/** A call in chat's format; arguments may be an object, as Mistral sends them. */
const calls = maybe(
  list(
    fields({
      id: maybe(either(number, text)),
      function: maybe(fields({ name: word, arguments: maybe(either(text, object)) })),
    }),
  ),
);

/** Some models answer in parts, and Cloudflare returns a requested JSON object as an object. */
const content = maybe(either(text, object, list(object)));

const chat = fields({
  choices: list(
    fields({
      message: fields({ content, refusal: maybe(text), tool_calls: calls }),
      finish_reason: maybe(text),
    }),
    1,
  ),
});

const completions = fields({ choices: list(fields({ text, finish_reason: maybe(text) }), 1) });

/** The beginning of base64 data of any length. */
const BASE64 = /^[\w+/-]{2,}={0,2}$/;
const base64: Shape = (value) =>
  typeof value === 'string' && BASE64.test(value.slice(0, 32)) ? undefined : ': expected numbers or base64';

/** A vector as a list or in base64; some servers return one per token, or one per type. */
const packed = either(ends(number), base64);
const embedding = either(ends(ends(number)), each(packed), packed);

const block = both(
  fields({ type: text }),
  kinds('type', {
    text: fields({ text }),
    thinking: fields({ thinking: text }),
    tool_use: fields({ name: word, input: maybe(object) }),
  }),
);

const messages = fields({ content: list(block), stop_reason: maybe(text) });

/** An item of a response. */
export const item: Shape = both(
  fields({ type: text }),
  kinds('type', {
    message: fields({ content: list(fields({ type: text, text: maybe(text), refusal: maybe(text) })) }),
    reasoning: fields({ summary: maybe(list(object)), content: maybe(list(object)) }),
    function_call: fields({ name: word, arguments: maybe(text) }),
    custom_tool_call: fields({ name: word, input: maybe(text) }),
  }),
);

const responses = fields({ output: list(item), status: maybe(text), incomplete_details: maybe(object) });

const calling = fields({ name: word, args: maybe(object) });

/** A part of a candidate. */
const part = fields({ text: maybe(text), functionCall: maybe(calling) });

/** The same in a stream, where a call may continue that of an earlier part. */
export const streamedPart: Shape = fields({
  text: maybe(text),
  functionCall: maybe(
    either(fields({ name: nothing, args: nothing, partialArgs: maybe(list(object)) }), calling),
  ),
});

/** A candidate may be empty if it was truncated or filtered; Vertex was seen to send numeric finish reasons. */
const candidatesWith = (piece: Shape): Shape =>
  list(
    fields({
      content: maybe(fields({ parts: maybe(list(piece)) })),
      finishReason: maybe(either(number, text)),
    }),
  );

const candidates = candidatesWith(part);
export const streamedCandidates = candidatesWith(streamedPart);

/** A blocked prompt has no candidates. */
const gemini = either(
  fields({ promptFeedback: fields({ blockReason: text }), candidates: maybe(candidates) }),
  fields({ candidates: both(list(object, 1), candidates) }),
);

const converse = fields({
  output: fields({
    message: fields({
      content: list(
        fields({
          text: maybe(text),
          toolUse: maybe(fields({ name: word })),
          reasoningContent: maybe(fields({ reasoningText: maybe(fields({ text: maybe(text) })) })),
        }),
      ),
    }),
  }),
  stopReason: maybe(text),
});

const cohere = fields({
  message: fields({
    content: maybe(either(text, list(fields({ text: maybe(text), thinking: maybe(text) })))),
    tool_plan: maybe(text),
    tool_calls: calls,
  }),
  finish_reason: maybe(text),
});

const vector = numbers;
const vectors = list(vector, 1);
const cohereVectors = fields({ embeddings: either(vectors, fields({ float: vectors })) });

const geminiVector = fields({ embedding: fields({ values: vector }) });
const geminiVectors = fields({ embeddings: list(fields({ values: vector }), 1) });
const predictions = fields({ predictions: list(fields({ embeddings: fields({ values: vector }) }), 1) });

/** A piece of an answer in Ollama's own API, and the further fields of a whole one. */
const ollamaCalls = maybe(list(fields({ function: fields({ name: word, arguments: maybe(object) }) })));
const ollamaLine = fields({
  message: maybe(fields({ content: maybe(text), thinking: maybe(text), tool_calls: ollamaCalls })),
  response: maybe(text),
});
const isTrue: Shape = (value) => (value === true ? undefined : ': expected true');

/** A step of an interaction. */
export const step: Shape = both(
  fields({ type: text }),
  kinds('type', {
    model_output: fields({ content: maybe(list(fields({ text: maybe(text) }))) }),
    thought: fields({ summary: maybe(list(fields({ text: maybe(text) }))), signature: maybe(text) }),
    function_call: fields({ name: word, arguments: maybe(object) }),
  }),
);

const counted = fields({ input_tokens: count });

const SHAPES: Readonly<Record<AnswerKind, Shape>> & Partial<Record<Endpoint, Shape>> = {
  chat,
  completions,
  embeddings: fields({
    data: list(either(fields({ embedding }), fields({ embeddings: embedding })), 1),
  }),
  messages,
  'messages.count_tokens': counted,
  responses,
  'responses.input_tokens': counted,
  'responses.compact': fields({ output: list(object) }),
  'gemini embeddings': either(geminiVector, geminiVectors),
  'vertex embeddings': predictions,
  // Protocol buffers' JSON omits values of 0.
  'gemini.count_tokens': fields({ totalTokens: maybe(count) }),
  'gemini.embed': geminiVector,
  'gemini.batch_embed': geminiVectors,
  'gemini.predict': predictions,
  'gemini.interactions': fields({ id: maybe(text), status: text, steps: maybe(list(step)) }),
  'ollama line': ollamaLine,
  'ollama.chat': fields({ message: object, done: isTrue }),
  'ollama.generate': fields({ response: text, done: isTrue }),
  'ollama.embed': fields({ embeddings: list(vector, 1) }),
  'ollama.embeddings': fields({ embedding: list(number) }),
  'cohere embeddings': cohereVectors,
  'bedrock embeddings': either(cohereVectors, fields({ embedding: vector })),
  gemini,
  converse,
  cohere,
};

/**
 * Why a body is not a valid answer, such as "choices: expected a list"; `undefined` when it is. For endpoints whose
 * answers are only passed on, nothing is checked.
 */
export function answerFlaw(kind: AnswerKind | Endpoint, body: JsonObject): string | undefined {
  return SHAPES[kind]?.(body)?.replace(/^\./, '');
}
