import type { ChatRequest } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Answer } from './answer.ts';
import { hashOf, tokensOf } from './answer.ts';
import { textOf } from './text.ts';

export interface Naming {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** The tokens of the request's messages, as the mock counts them. */
export function promptTokens(request: ChatRequest): number {
  return request.messages.reduce((sum, message) => sum + tokensOf(textOf(message.content)).length + 4, 0);
}

export function usageOf(prompt: number, answers: readonly Answer[]): JsonObject {
  const count = (pieces: readonly string[]) => pieces.length;
  const reasoning = answers.reduce((sum, answer) => sum + count(answer.reasoning), 0);
  const written = answers.reduce(
    (sum, { text, calls }) =>
      sum + count(text) + calls.reduce((all, call) => all + tokensOf(call.function.arguments).length, 0),
    0,
  );
  return {
    prompt_tokens: prompt,
    completion_tokens: written + reasoning,
    total_tokens: prompt + written + reasoning,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

export function chatBody(
  { id, model, created }: Naming,
  answers: readonly Answer[],
  usage: JsonObject,
): JsonObject {
  const choices = answers.map((answer, index) => ({
    index,
    message: {
      role: 'assistant',
      content: answer.calls.length > 0 ? null : answer.text.join(''),
      refusal: null,
      ...(answer.reasoning.length > 0 ? { reasoning_content: answer.reasoning.join('') } : {}),
      ...(answer.calls.length > 0 ? { tool_calls: answer.calls } : {}),
    },
    logprobs: null,
    finish_reason: answer.finish,
  }));
  return { id, object: 'chat.completion', created, model, choices, usage };
}

export function textBody(
  { id, model, created }: Naming,
  answers: readonly Answer[],
  usage: JsonObject,
): JsonObject {
  const choices = answers.map(({ text, finish }, index) => ({
    index,
    text: text.join(''),
    logprobs: null,
    finish_reason: finish,
  }));
  return { id, object: 'text_completion', created, model, choices, usage };
}

/** The events of a stream, without the terminator. */
export function* chatEvents(
  naming: Naming,
  answers: readonly Answer[],
  usage: JsonObject | undefined,
): Generator<JsonObject> {
  const { id, model, created } = naming;
  const chunk = (index: number, delta: JsonObject, finish: string | null = null): JsonObject => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    ...(usage ? { usage: null } : {}),
  });
  for (const [index, answer] of answers.entries()) {
    yield chunk(index, { role: 'assistant', content: answer.calls.length > 0 ? null : '' });
    for (const piece of answer.reasoning) yield chunk(index, { reasoning_content: piece });
    for (const piece of answer.text) yield chunk(index, { content: piece });
    for (const [call, { id: callId, function: fn }] of answer.calls.entries()) {
      yield chunk(index, {
        tool_calls: [
          { index: call, id: callId, type: 'function', function: { name: fn.name, arguments: '' } },
        ],
      });
      for (const piece of fn.arguments.match(/.{1,12}/gs) ?? []) {
        yield chunk(index, { tool_calls: [{ index: call, function: { arguments: piece } }] });
      }
    }
    yield chunk(index, {}, answer.finish);
  }
  if (usage) yield { id, object: 'chat.completion.chunk', created, model, choices: [], usage };
}

export function* textEvents(
  naming: Naming,
  answers: readonly Answer[],
  usage: JsonObject | undefined,
): Generator<JsonObject> {
  const head = { ...naming, object: 'text_completion' };
  for (const [index, answer] of answers.entries()) {
    for (const text of answer.text)
      yield { ...head, choices: [{ index, text, logprobs: null, finish_reason: null }] };
    yield { ...head, choices: [{ index, text: '', logprobs: null, finish_reason: answer.finish }] };
  }
  if (usage) yield { ...head, choices: [], usage };
}

/** Vectors of unit length that depend on the text only. */
export function embeddingBody(request: JsonObject): JsonObject {
  const { input } = request;
  const single = typeof input === 'string' || (Array.isArray(input) && typeof input[0] === 'number');
  const texts = (single ? [input] : (input as unknown[])).map((item) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
  const dimensions = typeof request.dimensions === 'number' ? request.dimensions : 256;
  const data = texts.map((text, index) => {
    const raw = Float32Array.from({ length: dimensions }, (_, at) => hashOf(`${text}.${at}`) / 2 ** 31 - 1);
    const length = Math.hypot(...raw) || 1;
    const vector = raw.map((value) => value / length);
    const embedding =
      request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text).length, 0);
  return {
    object: 'list',
    data,
    model: request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
