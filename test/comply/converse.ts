/** A server of Bedrock's Converse that translates requests for a chat server, and its answers back. */
import type { JsonObject } from '../../src/wire/json.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../src/wire/json.ts';
import { eventStream } from '../helpers/speakers.ts';
import type { AskChat, ChatAnswer } from './chat.ts';

const STOPS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'content_filtered',
};

/** Answers a request at `/model/NAME/converse` or `/converse-stream`. */
export async function converse(path: string, body: JsonObject, ask: AskChat): Promise<Response> {
  const answer = await ask(chatOf(body));
  return path.endsWith('-stream') ? streamed(answer) : Response.json(whole(answer));
}

function chatOf({ messages, system, inferenceConfig, toolConfig }: JsonObject): JsonObject {
  const { maxTokens, temperature, topP, stopSequences } = objectOf(inferenceConfig);
  const { tools, toolChoice } = objectOf(toolConfig);
  return {
    messages: [
      ...listOf(system).flatMap((block) => {
        const { text } = objectOf(block);
        return text === undefined ? [] : [{ role: 'system', content: text }];
      }),
      ...listOf(messages).flatMap((message) => turnOf(objectOf(message))),
    ],
    ...given({ max_tokens: maxTokens, temperature, top_p: topP, stop: stopSequences }),
    ...given({
      tools: tools && listOf(tools).flatMap((tool) => toolOf(objectOf(objectOf(tool).toolSpec))),
      tool_choice: toolChoice && choiceOf(objectOf(toolChoice)),
    }),
  };
}

function given(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function toolOf({ name, description, inputSchema }: JsonObject): JsonObject[] {
  if (typeof name !== 'string') return [];
  return [{ type: 'function', function: { name, description, parameters: objectOf(inputSchema).json } }];
}

function choiceOf({ any, tool }: JsonObject): unknown {
  if (isObject(tool)) return { type: 'function', function: { name: tool.name } };
  return any === undefined ? 'auto' : 'required';
}

function turnOf({ role, content }: JsonObject): JsonObject[] {
  const blocks = listOf(content).map(objectOf);
  if (role === 'assistant') {
    const calls = blocks.flatMap(({ toolUse }) => {
      if (!isObject(toolUse)) return [];
      const fn = { name: toolUse.name, arguments: JSON.stringify(toolUse.input ?? {}) };
      return [{ id: toolUse.toolUseId, type: 'function', function: fn }];
    });
    const text = blocks.map((block) => stringOf(block.text) ?? '').join('');
    return [{ role, content: text, ...(calls.length > 0 ? { tool_calls: calls } : {}) }];
  }
  const results = blocks.flatMap(({ toolResult }) =>
    isObject(toolResult)
      ? [{ role: 'tool', tool_call_id: toolResult.toolUseId, content: resultOf(toolResult.content) }]
      : [],
  );
  const parts = blocks.flatMap((block) => partOf(block));
  return parts.length > 0 ? [...results, { role: 'user', content: parts }] : results;
}

function resultOf(content: unknown): string {
  return listOf(content)
    .map((block) => stringOf(objectOf(block).text) ?? JSON.stringify(objectOf(block).json ?? ''))
    .join('');
}

function partOf({ text, image, document }: JsonObject): JsonObject[] {
  if (typeof text === 'string') return [{ type: 'text', text }];
  const { format, source } = objectOf(image);
  const bytes = String(objectOf(source).bytes ?? '');
  if (image)
    return [{ type: 'image_url', image_url: { url: `data:image/${String(format)};base64,${bytes}` } }];
  return document ? [{ type: 'text', text: '(a document)' }] : [];
}

function blocksOf({ text, calls }: ChatAnswer): JsonObject[] {
  return [
    ...(text === '' ? [] : [{ text }]),
    ...calls.map(({ id, name, input }) => ({
      toolUse: { toolUseId: id, name, input: objectOf(parseJson(input)) },
    })),
  ];
}

function usageOf({ input, output }: ChatAnswer): JsonObject {
  return { inputTokens: input, outputTokens: output, totalTokens: input + output };
}

function whole(answer: ChatAnswer): JsonObject {
  return {
    output: { message: { role: 'assistant', content: blocksOf(answer) } },
    stopReason: STOPS[answer.finish] ?? 'end_turn',
    usage: usageOf(answer),
    metrics: { latencyMs: 1 },
  };
}

function streamed(answer: ChatAnswer): Response {
  const { text, calls, finish } = answer;
  const said = text === '' ? 0 : 1;
  const words = text.match(/\S*\s*/g) ?? [];
  return eventStream('bedrock', [
    ['messageStart', { role: 'assistant' }],
    ...(said === 1
      ? [
          ...words.filter((word) => word !== '').map((word) => deltaOf(0, { text: word })),
          ['contentBlockStop', { contentBlockIndex: 0 }] as const,
        ]
      : []),
    ...calls.flatMap(({ id, name, input }, place) => {
      const contentBlockIndex = said + place;
      return [
        ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }] as const,
        deltaOf(contentBlockIndex, { toolUse: { input } }),
        ['contentBlockStop', { contentBlockIndex }] as const,
      ];
    }),
    ['messageStop', { stopReason: STOPS[finish] ?? 'end_turn' }],
    ['metadata', { usage: usageOf(answer), metrics: { latencyMs: 1 } }],
  ]);
}

function deltaOf(contentBlockIndex: number, delta: JsonObject): readonly [string, JsonObject] {
  return ['contentBlockDelta', { contentBlockIndex, delta }];
}
