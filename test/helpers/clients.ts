/** Clients of every protocol: their requests, and how they read the answers of helpers/speakers. */
import type { z } from 'zod';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { checkChatStream } from './grammar/chat.ts';
import { framesOf } from './grammar/frames.ts';
import { checkGeminiStream } from './grammar/gemini.ts';
import { checkInteractionStream } from './grammar/interactions.ts';
import { checkMessagesStream } from './grammar/messages.ts';
import { checkResponsesStream } from './grammar/responses.ts';
import { openapiProblems } from './openapi.ts';
import { completion } from './published/chat.ts';
import { geminiAnswer } from './published/gemini.ts';
import { interaction } from './published/interactions.ts';
import { message } from './published/messages.ts';
import { response } from './published/responses.ts';
import { ANSWER } from './speakers.ts';

const TOOLS = [
  { name: 'weather', schema: { type: 'object', properties: { city: { type: 'string' } } } },
  { name: 'time', schema: { type: 'object', properties: {} } },
];

/** The content of an answer, whatever its protocol. */
export interface Said {
  reasoning: string;
  text: string;
  calls: [string, string][];
  finish: unknown;
  input: unknown;
  output: unknown;
}

/** How clients of a protocol send requests, and how their answers are read. */
export interface Client {
  /** A path with `{model}` in it also says what is requested: see {@link addressed}. */
  readonly path: string;
  readonly request: JsonObject;
  readonly check: (sse: string) => { value: JsonObject; problems: readonly string[] };
  readonly said: (answer: JsonObject) => Said;
  readonly finish: string;
  /** The published schema of an unstreamed answer. */
  readonly published: z.ZodType;
  /** An error as this client sees it. */
  readonly error: (body: JsonObject) => { type: unknown; message: unknown };
}

export const CLIENTS: Readonly<Record<'chat' | 'messages' | 'responses' | 'gemini', Client>> = {
  chat: {
    path: '/v1/chat/completions',
    request: {
      model: 'm-1',
      messages: [{ role: 'user', content: 'hi' }],
      tools: TOOLS.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema } })),
    },
    check(sse) {
      const { answer: value, problems } = checkChatStream(sse);
      const chunks = framesOf(sse, []).flatMap(({ value: chunk }) => (chunk ? [chunk] : []));
      const wrong = chunks
        .filter((chunk) => !('error' in chunk))
        .flatMap((chunk) => openapiProblems('CreateChatCompletionStreamResponse', chunk));
      return { value, problems: [...problems, ...wrong] };
    },
    said(answer) {
      const { message, finish_reason: finish } = objectOf(listOf(answer.choices)[0]);
      const { reasoning_content, content, tool_calls } = objectOf(message);
      const usage = objectOf(answer.usage);
      return {
        reasoning: String(reasoning_content),
        text: String(content),
        calls: listOf(tool_calls).map((call) => {
          const { name, arguments: text } = objectOf(objectOf(call).function);
          return [String(name), String(text)];
        }),
        finish,
        input: usage.prompt_tokens,
        output: usage.completion_tokens,
      };
    },
    finish: 'tool_calls',
    published: completion,
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
  messages: {
    path: '/v1/messages',
    request: {
      model: 'm-1',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'hi' }],
      tools: TOOLS.map(({ name, schema }) => ({ name, input_schema: schema })),
    },
    check(sse) {
      const { message: value, problems } = checkMessagesStream(sse);
      return { value, problems };
    },
    said(answer) {
      const blocks = listOf(answer.content).map(objectOf);
      const of = (type: string) => blocks.filter((block) => block.type === type);
      const usage = objectOf(answer.usage);
      return {
        reasoning: of('thinking')
          .map(({ thinking }) => String(thinking))
          .join(''),
        text: of('text')
          .map(({ text }) => String(text))
          .join(''),
        calls: of('tool_use').map(({ name, input }) => [String(name), JSON.stringify(input)]),
        finish: answer.stop_reason,
        input: usage.input_tokens,
        output: usage.output_tokens,
      };
    },
    finish: 'tool_use',
    published: message,
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
  responses: {
    path: '/v1/responses',
    request: {
      model: 'm-1',
      input: 'hi',
      tools: TOOLS.map(({ name, schema }) => ({ type: 'function', name, parameters: schema, strict: false })),
    },
    check(sse) {
      const { response: value, problems } = checkResponsesStream(sse);
      return { value, problems };
    },
    said(answer) {
      const items = listOf(answer.output).map(objectOf);
      const texts = (list: unknown) =>
        listOf(list)
          .map((part) => String(objectOf(part).text))
          .join('');
      const of = (type: string) => items.filter((item) => item.type === type);
      const usage = objectOf(answer.usage);
      return {
        reasoning: of('reasoning')
          .map(({ summary }) => texts(summary))
          .join(''),
        text: of('message')
          .map(({ content }) => texts(content))
          .join(''),
        calls: of('function_call').map(({ name, arguments: text }) => [String(name), String(text)]),
        finish: answer.status,
        input: usage.input_tokens,
        output: usage.output_tokens,
      };
    },
    finish: 'completed',
    published: response,
    error: (body) => objectOf(body.error) as { type: unknown; message: unknown },
  },
  gemini: {
    path: '/v1beta/models/{model}:generateContent',
    request: {
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      tools: [
        { functionDeclarations: TOOLS.map(({ name, schema }) => ({ name, parametersJsonSchema: schema })) },
      ],
      generationConfig: { thinkingConfig: { includeThoughts: true } },
    },
    check: checkGeminiStream,
    said(answer) {
      const { content, finishReason: finish } = objectOf(listOf(answer.candidates)[0]);
      const parts = listOf(objectOf(content).parts).map(objectOf);
      const texts = (thought: boolean) =>
        parts
          .filter((part) => typeof part.text === 'string' && (part.thought === true) === thought)
          .map(({ text }) => String(text))
          .join('');
      const usage = objectOf(answer.usageMetadata);
      const said = (usage.candidatesTokenCount as number) + ((usage.thoughtsTokenCount as number) ?? 0);
      return {
        reasoning: texts(true),
        text: texts(false),
        calls: parts.flatMap(({ functionCall: call }): [string, string][] =>
          call ? [[String(objectOf(call).name), JSON.stringify(objectOf(call).args)]] : [],
        ),
        finish,
        input: usage.promptTokenCount,
        output: said,
      };
    },
    finish: 'STOP',
    published: geminiAnswer,
    error(body) {
      const { status, message } = objectOf(body.error);
      return { type: status, message };
    },
  },
};

/** Clients of Gemini's interactions, which are relayed to a provider of Gemini's protocol. */
export const INTERACTIONS: Client = {
  path: '/v1beta/interactions',
  request: {
    model: 'm-1',
    input: 'hi',
    tools: TOOLS.map(({ name, schema }) => ({ type: 'function', name, parameters: schema })),
    generation_config: { thinking_summaries: 'auto' },
  },
  check: checkInteractionStream,
  said(answer) {
    const steps = listOf(answer.steps).map(objectOf);
    const of = (type: string) => steps.filter((step) => step.type === type);
    const texts = (list: unknown) =>
      listOf(list)
        .map((each) => String(objectOf(each).text))
        .join('');
    const usage = objectOf(answer.usage);
    return {
      reasoning: of('thought')
        .map(({ summary }) => texts(summary))
        .join(''),
      text: of('model_output')
        .map(({ content }) => texts(content))
        .join(''),
      calls: of('function_call').map(({ name, arguments: args }) => [String(name), JSON.stringify(args)]),
      finish: answer.status,
      input: usage.total_input_tokens,
      output: Number(usage.total_output_tokens) + Number(usage.total_thought_tokens),
    };
  },
  finish: 'requires_action',
  published: interaction,
  error(body) {
    const { status, message } = objectOf(body.error);
    return { type: status, message };
  },
};

/** A request whose path names the model, and says whether the answer is to be streamed. */
export function addressed(path: string, body: unknown): [path: string, body: unknown] {
  if (!path.includes('{model}') || typeof body !== 'object' || body === null) return [path, body];
  const { model = 'm-1', stream = false, ...rest } = body as JsonObject;
  const method = stream === true ? ':streamGenerateContent?alt=sse' : ':generateContent';
  const named = path.replace('{model}', encodeURIComponent(String(model)));
  return [named.replace(':generateContent', method), rest];
}

/** The answer of every speaker, as this client sees it. */
export function expected({ finish }: Client): Said {
  const { reasoning, text, calls, usage } = ANSWER;
  return { reasoning, text, calls: calls.map(([name, args]) => [name, args]), finish, ...usage };
}
