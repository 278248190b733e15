/** A server of Cohere's v2 chat that translates requests for a chat server, and its answers back. */
import type { JsonObject } from '../../src/wire/json.ts';
import { isObject, listOf, objectOf, stringOf } from '../../src/wire/json.ts';
import { eventStream } from '../helpers/speakers.ts';
import type { AskChat, ChatAnswer } from './chat.ts';

const FINISHES: Readonly<Record<string, string>> = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  tool_calls: 'TOOL_CALL',
};

/** Answers a request at `/v2/chat`. */
export async function cohere(body: JsonObject, ask: AskChat): Promise<Response> {
  const answer = await ask(chatOf(body));
  return body.stream === true ? streamed(answer) : Response.json(whole(answer));
}

function chatOf({
  messages,
  tools,
  tool_choice: choice,
  response_format: format,
  ...rest
}: JsonObject): JsonObject {
  const { max_tokens, temperature, p: top_p, stop_sequences: stop } = rest;
  const fields = {
    max_tokens,
    temperature,
    top_p,
    stop,
    tools,
    tool_choice: choice === 'REQUIRED' ? 'required' : choice === 'NONE' ? 'none' : undefined,
    response_format: isObject(format) ? formatOf(format) : undefined,
  };
  return {
    messages: listOf(messages).map((message) => turnOf(objectOf(message))),
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  };
}

function formatOf({ json_schema: schema }: JsonObject): JsonObject {
  return schema === undefined
    ? { type: 'json_object' }
    : { type: 'json_schema', json_schema: { name: 'answer', schema } };
}

function turnOf({ role, content, tool_calls, tool_call_id }: JsonObject): JsonObject {
  const calls = tool_calls === undefined ? {} : { tool_calls };
  const text =
    typeof content === 'string'
      ? content
      : listOf(content)
          .map((part) => stringOf(objectOf(part).text) ?? resultOf(objectOf(part)))
          .join('');
  const pictures = listOf(content).filter((part) => objectOf(part).type === 'image_url');
  if (pictures.length > 0) return { role, content: [{ type: 'text', text }, ...pictures] };
  return { role, content: text, ...calls, ...(tool_call_id === undefined ? {} : { tool_call_id }) };
}

function resultOf({ document }: JsonObject): string {
  return document === undefined
    ? ''
    : String(objectOf(objectOf(document).data).content ?? JSON.stringify(document));
}

function callsOf({ calls }: ChatAnswer): JsonObject[] {
  return calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: input } }));
}

function usageOf({ input, output }: ChatAnswer): JsonObject {
  return { tokens: { input_tokens: input, output_tokens: output } };
}

function whole(answer: ChatAnswer): JsonObject {
  const { text } = answer;
  const calls = callsOf(answer);
  return {
    id: crypto.randomUUID(),
    message: {
      role: 'assistant',
      ...(text === '' ? {} : { content: [{ type: 'text', text }] }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
    finish_reason: FINISHES[answer.finish] ?? 'COMPLETE',
    usage: usageOf(answer),
  };
}

function streamed(answer: ChatAnswer): Response {
  const { text, finish } = answer;
  const event = (type: string, index: number, message: JsonObject) =>
    [type, { type, index, delta: { message } }] as const;
  const words = (text.match(/\S*\s*/g) ?? []).filter((word) => word !== '');
  return eventStream('cohere', [
    [
      'message-start',
      { type: 'message-start', id: crypto.randomUUID(), delta: { message: { role: 'assistant' } } },
    ],
    ...(text === ''
      ? []
      : [
          event('content-start', 0, { content: { type: 'text', text: '' } }),
          ...words.map((word) => event('content-delta', 0, { content: { text: word } })),
          ['content-end', { type: 'content-end', index: 0 }] as const,
        ]),
    ...callsOf(answer).flatMap((call, index) => {
      const { name, arguments: input } = objectOf(call.function);
      const begun = { ...call, function: { name, arguments: '' } };
      return [
        event('tool-call-start', index, { tool_calls: begun }),
        event('tool-call-delta', index, { tool_calls: { function: { arguments: input } } }),
        ['tool-call-end', { type: 'tool-call-end', index }] as const,
      ];
    }),
    [
      'message-end',
      {
        type: 'message-end',
        delta: { finish_reason: FINISHES[finish] ?? 'COMPLETE', usage: usageOf(answer) },
      },
    ],
  ]);
}
