/** Requests that every provider should take, by endpoint; what the fuzzer changes is one of these. */
import type { Endpoint } from '../../src/wire/endpoints.ts';
import type { Dice } from '../simulate/dice.ts';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Paris', 'Rome'] }, days: { type: ['integer', 'null'] } },
  required: ['city'],
  additionalProperties: false,
};
const URL_OF_IMAGE = `data:image/png;base64,${PIXEL}`;
const WEATHER = { name: 'weather', description: 'Tells the weather', parameters: SCHEMA };
const user = (content: unknown) => ({ role: 'user', content });

const chat: readonly object[] = [
  { messages: [user('hi')] },
  {
    messages: [
      { role: 'system', content: 'Be brief.' },
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: URL_OF_IMAGE, detail: 'low' } },
      ]),
    ],
    max_completion_tokens: 50,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['x'],
    seed: 3,
    user: 'u-1',
    metadata: { team: 'a' },
  },
  {
    messages: [
      user('Weather?'),
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Let me see.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Sun' },
    ],
    tools: [{ type: 'function', function: WEATHER }],
    tool_choice: { type: 'function', function: { name: 'weather' } },
    parallel_tool_calls: false,
    reasoning_effort: 'low',
    stream_options: { include_usage: true },
  },
  {
    messages: [{ role: 'developer', content: [{ type: 'text', text: 'JSON.' }] }, user('Go')],
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA, strict: true } },
    n: 1,
    logprobs: true,
    top_logprobs: 2,
    logit_bias: { '50256': -100 },
    max_tokens: 9,
    frequency_penalty: 0.1,
    presence_penalty: 0.1,
    service_tier: 'auto',
  },
];

const messages: readonly object[] = [
  { max_tokens: 50, messages: [user('hi')] },
  {
    max_tokens: 2_000,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    thinking: { type: 'enabled', budget_tokens: 1_024 },
    messages: [
      user([
        { type: 'text', text: 'Weather here?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
      ]),
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me see.', signature: 'c2ln' },
          { type: 'text', text: 'Looking.' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Paris' } },
        ],
      },
      user([{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'Sun' }] }]),
    ],
    tools: [{ name: 'weather', description: 'Tells the weather', input_schema: SCHEMA }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    metadata: { user_id: 'u-1' },
  },
  {
    max_tokens: 50,
    system: 'Be brief.',
    temperature: 0.2,
    top_k: 5,
    top_p: 0.9,
    stop_sequences: ['x'],
    messages: [
      user([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } }]),
      { role: 'assistant', content: 'It' },
    ],
  },
];

const responses: readonly object[] = [
  { input: 'hi' },
  {
    instructions: 'Be brief.',
    input: [
      user([
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image_url: URL_OF_IMAGE, detail: 'auto' },
      ]),
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'c2Vh',
      },
      {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: 'weather',
        arguments: '{"city":"Paris"}',
      },
      { type: 'function_call_output', call_id: 'call_1', output: 'Sun' },
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Sun.', annotations: [] }],
      },
      user('And now?'),
    ],
    tools: [{ type: 'function', ...WEATHER, strict: true }],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort: 'low', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    store: false,
    max_output_tokens: 50,
  },
  {
    input: [user('Go')],
    text: { format: { type: 'json_schema', name: 'place', schema: SCHEMA, strict: true }, verbosity: 'low' },
    temperature: 0.5,
    top_p: 0.9,
    metadata: { team: 'a' },
    truncation: 'auto',
    user: 'u-1',
  },
];

const JSON_REQUESTS: Readonly<Partial<Record<Endpoint, readonly object[]>>> = {
  chat,
  messages,
  'messages.count_tokens': messages.map((request) => ({ ...request, max_tokens: undefined })),
  responses,
  'responses.input_tokens': responses,
  'responses.compact': responses.map((request) => ({ ...request, stream: undefined })),
  completions: [
    { prompt: 'Once', max_tokens: 5 },
    {
      prompt: ['Once', 'Twice'].slice(0, 1),
      n: 1,
      echo: false,
      logprobs: 1,
      stop: 'x',
      suffix: '.',
      best_of: 1,
    },
  ],
  embeddings: [{ input: 'hi' }, { input: ['a', 'b'], dimensions: 2, encoding_format: 'base64', user: 'u-1' }],
  moderations: [{ input: 'hi' }, { input: [{ type: 'text', text: 'hi' }] }],
  'images.generations': [{ prompt: 'a cat', n: 1, size: '256x256', response_format: 'b64_json' }],
  'audio.speech': [{ input: 'hi', voice: 'alloy', response_format: 'mp3', speed: 1 }],
  rerank: [{ query: 'q', documents: ['a', 'b', { text: 'c' }], top_n: 2, return_documents: true }],
};

/** A field of a form; with a file name it is a file. */
export interface Field {
  name: string;
  value: string;
  file?: string;
}

const image: Field = { name: 'image', value: '\u0089PNG\r\n\u001a\n' + 'x'.repeat(200), file: 'a.png' };
const audio: Field = { name: 'file', value: `RIFF${'\u0000\u00ff'.repeat(300)}`, file: 'a.wav' };

const FORMS: Readonly<Partial<Record<Endpoint, readonly Field[]>>> = {
  'images.edits': [image, { name: 'prompt', value: 'a hat' }, { name: 'n', value: '1' }],
  'images.variations': [image, { name: 'n', value: '1' }],
  'audio.transcriptions': [
    audio,
    { name: 'response_format', value: 'json' },
    { name: 'language', value: 'en' },
  ],
  'audio.translations': [audio, { name: 'prompt', value: 'words' }],
};

/** Endpoints that stream when they are asked to. */
const STREAMING: readonly Endpoint[] = ['chat', 'messages', 'responses', 'completions'];
/** Those that may, but most often do not. */
const SOMETIMES: readonly Endpoint[] = [
  'images.generations',
  'images.edits',
  'audio.speech',
  'audio.transcriptions',
];

/** A sound request: a value for JSON, or the fields of a form. */
export type Asked =
  { readonly json: object; readonly stream: boolean } | { readonly form: Field[]; readonly stream: boolean };

export function soundRequest(endpoint: Endpoint, model: string, dice: Dice): Asked {
  const streams =
    (STREAMING.includes(endpoint) && dice.chance(0.6)) || (SOMETIMES.includes(endpoint) && dice.chance(0.3));
  const form = FORMS[endpoint];
  if (form) {
    const stream = streams ? [{ name: 'stream', value: 'true' }] : [];
    const at = dice.chance(0.5) ? 0 : form.length;
    const fields = structuredClone([...form, ...stream]) as Field[];
    fields.splice(at, 0, { name: 'model', value: model });
    return { form: fields, stream: streams };
  }
  const rest = dice.pick(JSON_REQUESTS[endpoint]!);
  const stream = streams
    ? { stream: true }
    : dice.chance(0.3) && STREAMING.includes(endpoint)
      ? { stream: false }
      : {};
  return {
    json: dice.chance(0.5) ? { model, ...rest, ...stream } : { ...rest, ...stream, model },
    stream: streams,
  };
}

/** The bytes of a form, a character each. */
export function formBytes(fields: readonly Field[], boundary: string): Buffer {
  const parts = fields.map(({ name, value, file }) => {
    const named = `content-disposition: form-data; name="${name}"`;
    const head =
      file === undefined ? named : `${named}; filename="${file}"\r\ncontent-type: application/octet-stream`;
    return `--${boundary}\r\n${head}\r\n\r\n${value}\r\n`;
  });
  return Buffer.from(`${parts.join('')}--${boundary}--\r\n`, 'latin1');
}
