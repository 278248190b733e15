/** Handwritten rows according to the documentation of loaders, for testing the checkers: none comes from a renderer. */
import type { JsonObject } from '../../../src/wire/json.ts';

export const TOOLS: JsonObject[] = [
  {
    type: 'function',
    function: { name: 'f', description: 'Does f', parameters: { type: 'object', properties: {} } },
  },
];

/** A chat with a call, its result and an answer. */
export function chatRow(args: unknown, id = 'call_1'): JsonObject {
  return {
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'f?' },
      {
        role: 'assistant',
        tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: args } }],
      },
      { role: 'tool', tool_call_id: id, content: '1' },
      { role: 'assistant', content: 'One.' },
    ],
    tools: structuredClone(TOOLS),
  };
}

const PROMPT = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi' },
];

function assistant(content: string): JsonObject[] {
  return [{ role: 'assistant', content }];
}

const PREFERENCE = { chosen: assistant('Hello'), rejected: assistant('Go.') };

const ROWS: Readonly<Record<string, JsonObject>> = {
  openai: chatRow('{}'),
  fireworks: chatRow('{}'),
  together: chatRow('{}'),
  mistral: chatRow('{}', 'abcDEF123'),
  axolotl: chatRow('{}'),
  trl: chatRow({}),
  'trl-pc': { prompt: PROMPT, completion: assistant('Hello') },
  'trl-dpo': { prompt: PROMPT, ...PREFERENCE },
  kto: { prompt: PROMPT, completion: assistant('Hello'), label: true },
  'openai-dpo': {
    input: { messages: PROMPT, tools: TOOLS },
    preferred_output: assistant('Hello'),
    non_preferred_output: assistant('Go.'),
  },
  rft: { messages: PROMPT, reference_answer: 'Hello' },
  text: { text: 'Hello' },
  gemini: {
    systemInstruction: { role: 'system', parts: [{ text: 'Be kind.' }] },
    contents: [
      {
        role: 'user',
        parts: [{ text: 'f?' }, { fileData: { mimeType: 'image/png', fileUri: 'gs://b/a.png' } }],
      },
      {
        role: 'model',
        parts: [
          { text: 'Let me see.' },
          { functionCall: { name: 'f', args: { a: 1 } } },
          { functionCall: { name: 'g', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'f', response: { output: '1' } } },
          { functionResponse: { name: 'g', response: { output: '2' } } },
        ],
      },
      { role: 'model', parts: [{ text: 'One.' }] },
    ],
    tools: [
      {
        functionDeclarations: [
          {
            name: 'f',
            description: 'Does f',
            parameters: {
              type: 'OBJECT',
              properties: { a: { type: 'ARRAY', items: { type: 'INTEGER' } } },
              anyOf: [{ type: 'OBJECT' }],
            },
          },
          { name: 'g' },
        ],
      },
    ],
  },
  bedrock: {
    schemaVersion: 'bedrock-conversation-2024',
    system: [{ text: 'Be kind.' }],
    toolConfig: {
      tools: [
        { toolSpec: { name: 'f', description: 'Does f', inputSchema: { json: { type: 'object' } } } },
        { toolSpec: { name: 'g', description: 'Does g', inputSchema: { json: { type: 'object' } } } },
      ],
    },
    messages: [
      {
        role: 'user',
        content: [
          { text: 'f?' },
          { image: { format: 'png', source: { s3Location: { uri: 's3://b/a.png', bucketOwner: '1' } } } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'f is right.' } } },
          { text: 'Let me see.' },
          { toolUse: { toolUseId: 't1', name: 'f', input: {} } },
          { toolUse: { toolUseId: 't2', name: 'g', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 't1', content: [{ text: '' }] } },
          { toolResult: { toolUseId: 't2', content: [{ json: { a: 1 } }] } },
        ],
      },
      { role: 'assistant', content: [{ text: 'One.' }] },
    ],
  },
  anthropic: {
    system: 'Be kind.',
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ],
  },
  sharegpt: {
    conversations: [
      { from: 'system', value: 'Be kind.' },
      { from: 'human', value: 'f?' },
      { from: 'function_call', value: '{"name":"f","arguments":{}}' },
      { from: 'observation', value: '' },
      { from: 'gpt', value: 'One.' },
    ],
    system: '',
    tools: '[{"name":"f","description":"Does f","parameters":{"type":"object","properties":{}}}]',
  },
  alpaca: {
    instruction: 'Hi',
    input: '',
    output: 'Hello',
    system: 'Be kind.',
    history: [['a', 'b']],
  },
};

/** A new valid row, to be changed. */
export function soundRow(name: string): JsonObject {
  return structuredClone(ROWS[name]!);
}

/** The row with the value at a path ("messages[1].content") replaced; `undefined` removes it. */
export function spoiled(row: JsonObject, path: string, value: unknown): JsonObject {
  const copy = structuredClone(row);
  const keys = path.match(/[^.[\]]+/g)!;
  let at = copy as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[keys.at(-1)!];
  else at[keys.at(-1)!] = value;
  return copy;
}
