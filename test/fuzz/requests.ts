/** Requests that every provider should accept, by endpoint; the fuzzer mutates these. */
import type { Endpoint } from '../../src/wire/endpoints.ts';
import { ENDPOINTS, placeOf } from '../../src/wire/endpoints.ts';
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

const FUNCTIONS = [
  { functionDeclarations: [{ ...WEATHER, parameters: undefined, parametersJsonSchema: SCHEMA }] },
];

const gemini: readonly object[] = [
  { contents: [{ parts: [{ text: 'hi' }] }] },
  {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      {
        role: 'user',
        parts: [{ text: 'Weather here?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }],
      },
      {
        role: 'model',
        parts: [
          { text: 'Hm.', thought: true },
          { text: 'Looking.' },
          { functionCall: { id: 'c1', name: 'weather', args: { city: 'Paris' } }, thoughtSignature: 'c2ln' },
        ],
      },
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'c1', name: 'weather', response: { output: 'Sun' } } }],
      },
    ],
    tools: FUNCTIONS,
    toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    generationConfig: {
      maxOutputTokens: 50,
      temperature: 0.5,
      topP: 0.9,
      stopSequences: ['x'],
      thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 },
    },
  },
  {
    contents: [{ role: 'user', parts: [{ text: 'Go' }] }],
    generation_config: {
      response_mime_type: 'application/json',
      response_schema: { type: 'OBJECT', properties: { city: { type: 'STRING', nullable: true } } },
      candidate_count: 1,
    },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  },
];

const interactionRequests: readonly object[] = [
  { input: 'hi' },
  {
    system_instruction: 'Be brief.',
    input: [
      {
        type: 'user_input',
        content: [
          { type: 'text', text: 'Weather here?' },
          { type: 'image', mime_type: 'image/png', data: PIXEL },
        ],
      },
      { type: 'thought', summary: [{ type: 'text', text: 'Hm.' }], signature: 'c2ln' },
      { type: 'model_output', content: [{ type: 'text', text: 'Looking.' }] },
      { type: 'function_call', id: 'c1', name: 'weather', arguments: { city: 'Paris' } },
      { type: 'function_result', call_id: 'c1', name: 'weather', result: 'Sun' },
    ],
    tools: [{ type: 'function', ...WEATHER }],
    generation_config: {
      max_output_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      tool_choice: 'auto',
      thinking_level: 'low',
    },
  },
  {
    input: { type: 'text', text: 'Go' },
    response_format: { type: 'text', mime_type: 'application/json', schema: SCHEMA },
    generation_config: { thinking_summaries: 'auto', stop_sequences: ['x'] },
    store: false,
    service_tier: 'standard',
  },
];

const ollamaChat: readonly object[] = [
  { messages: [user('hi')] },
  {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather here?', images: [PIXEL] },
      {
        role: 'assistant',
        content: 'Looking.',
        thinking: 'Hm.',
        tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: { city: 'Paris' } } }],
      },
      { role: 'tool', tool_name: 'weather', content: 'Sun' },
    ],
    tools: [{ type: 'function', function: WEATHER }],
    options: { num_predict: 50, temperature: 0.5, top_p: 0.9, stop: ['x'], num_ctx: 4_096 },
    keep_alive: '5m',
    think: 'low',
  },
  { messages: [user('Go')], format: SCHEMA, think: false },
];

const JSON_REQUESTS: Readonly<Partial<Record<Endpoint, readonly object[]>>> = {
  chat,
  messages,
  'messages.count_tokens': messages.map((request) => ({ ...request, max_tokens: undefined })),
  responses,
  'responses.input_tokens': responses,
  'responses.compact': responses.map((request) => ({ ...request, stream: undefined })),
  gemini,
  'gemini.interactions': interactionRequests,
  'gemini.count_tokens': [gemini[0]!, { generateContentRequest: { model: 'models/x', ...gemini[1]! } }],
  'gemini.embed': [{ content: { parts: [{ text: 'hi' }] }, taskType: 'RETRIEVAL_QUERY' }],
  'gemini.batch_embed': [
    { requests: ['a', 'b'].map((text) => ({ model: 'models/x', content: { parts: [{ text }] } })) },
  ],
  'gemini.predict': [{ instances: [{ content: 'a' }, { content: 'b' }], parameters: {} }],
  'ollama.chat': ollamaChat,
  'ollama.generate': [
    { prompt: 'hi' },
    { prompt: 'Look', system: 'S', images: [PIXEL], raw: false, format: 'json' },
  ],
  'ollama.embed': [{ input: 'hi' }, { input: ['a', 'b'], truncate: true, options: {} }],
  'ollama.embeddings': [{ prompt: 'hi' }],
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

/** Endpoints that stream on request. */
const STREAMING: readonly Endpoint[] = [
  'chat',
  'messages',
  'responses',
  'completions',
  'gemini',
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
];
/** Endpoints that can stream, but usually do not. */
const SOMETIMES: readonly Endpoint[] = [
  'images.generations',
  'images.edits',
  'audio.speech',
  'audio.transcriptions',
];

/** A valid request: a JSON value, or the fields of a form. */
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
  // For these, the path contains everything that is not in the body.
  if (placeOf(endpoint) === 'model') return { json: rest, stream: streams };
  // These stream unless the request says otherwise.
  if (endpoint === 'ollama.chat' || endpoint === 'ollama.generate') {
    const told = streams && dice.chance(0.5) ? {} : { stream: streams };
    return { json: { model, ...rest, ...told }, stream: streams };
  }
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

/** The path of an endpoint. */
export function pathOf(endpoint: Endpoint, model: string, stream: boolean, dice: Dice): string {
  const { path } = ENDPOINTS[endpoint];
  const place = placeOf(endpoint);
  if (place === 'root') return path;
  if (place === 'version') return dice.pick(['/v1beta', '/v1']) + path;
  if (place === undefined) return `/v1${path}`;
  const name = dice.chance(0.3) ? model : encodeURIComponent(model);
  const named = path.replace('{model}', name);
  const version = dice.pick(['/v1beta', '/v1beta', '/v1', '/v1/projects/p/locations/l/publishers/google']);
  if (!stream) return version + named;
  return `${version}${named.replace(':generate', ':streamGenerate')}${dice.chance(0.7) ? '?alt=sse' : ''}`;
}

/** The bytes of a form, one character per byte. */
export function formBytes(fields: readonly Field[], boundary: string): Buffer {
  const parts = fields.map(({ name, value, file }) => {
    const named = `content-disposition: form-data; name="${name}"`;
    const head =
      file === undefined ? named : `${named}; filename="${file}"\r\ncontent-type: application/octet-stream`;
    return `--${boundary}\r\n${head}\r\n\r\n${value}\r\n`;
  });
  return Buffer.from(`${parts.join('')}--${boundary}--\r\n`, 'latin1');
}
