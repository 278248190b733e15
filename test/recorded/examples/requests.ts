/** Handwritten client requests: everything that any provider can be asked for. */
import type { Json } from '../read/json.ts';
import type { Asker } from '../requests/asking.ts';

export interface ExampleRequest {
  readonly name: string;
  readonly api: Asker;
  /** The vendor's name in the index, if it is not the protocol's own vendor. */
  readonly provider?: string;
  readonly request: Json;
}

/** An image of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city'],
  additionalProperties: false,
};

const chatTool = {
  type: 'function',
  function: { name: 'weather', description: 'Tells the weather', parameters: schema },
};

const format = {
  type: 'object',
  properties: { degrees: { type: 'number' } },
  required: ['degrees'],
  additionalProperties: false,
};

export const REQUESTS: readonly ExampleRequest[] = [
  {
    name: 'chat request: a conversation with a picture and tools',
    api: 'chat',
    request: {
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is here, and how warm is it?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look it up.',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'weather', arguments: '{"city":"Zürich","days":1}' },
            },
            { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '12 degrees' },
        { role: 'tool', tool_call_id: 'call_2', content: '9 degrees' },
        { role: 'user', content: 'And tomorrow?' },
      ],
      tools: [chatTool],
      tool_choice: 'required',
      max_tokens: 300,
      temperature: 0.7,
      top_p: 0.9,
      stop: ['END'],
    },
  },
  {
    name: 'chat request: parameters that some lack',
    api: 'chat',
    request: {
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: 0.25,
      logit_bias: { '50256': -100 },
      stream: true,
    },
  },
  {
    name: 'chat request: to a vendor that names some parameters otherwise',
    api: 'chat',
    provider: 'mistral',
    request: {
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [chatTool],
      tool_choice: 'required',
      max_completion_tokens: 300,
      temperature: 0.7,
      seed: 7,
      logit_bias: { '50256': -100 },
    },
  },
  {
    name: 'chat request: an answer of a shape',
    api: 'chat',
    request: {
      model: 'm',
      messages: [{ role: 'user', content: 'How warm?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'warmth', strict: true, schema: format } },
    },
  },
  {
    name: 'messages request: a conversation with a picture and tools',
    api: 'messages',
    request: {
      model: 'm',
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is here?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I look it up.' },
            { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Zürich' } },
            { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Bern', days: 2 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: '12 degrees' },
            {
              type: 'tool_result',
              tool_use_id: 'toolu_2',
              content: [{ type: 'text', text: 'no such town' }],
              is_error: true,
            },
            { type: 'text', text: 'And tomorrow?' },
          ],
        },
      ],
      tools: [{ name: 'weather', description: 'Tells the weather', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'weather' },
      max_tokens: 300,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 20,
      stop_sequences: ['END'],
    },
  },
  {
    name: 'responses request: a conversation with a picture and tools',
    api: 'responses',
    request: {
      model: 'm',
      instructions: 'Be brief.',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is here?' },
            { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' },
          ],
        },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Zürich"}' },
        { type: 'function_call_output', call_id: 'call_1', output: '12 degrees' },
        { role: 'user', content: 'And tomorrow?' },
      ],
      tools: [
        {
          type: 'function',
          name: 'weather',
          description: 'Tells the weather',
          parameters: schema,
          strict: false,
        },
      ],
      tool_choice: 'auto',
      max_output_tokens: 300,
      temperature: 0.5,
      top_p: 0.9,
      stream: true,
    },
  },
  {
    name: 'gemini request: a conversation with a picture and tools',
    api: 'gemini',
    request: {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'What is here, and how warm is it?' },
            { inlineData: { mimeType: 'image/png', data: PIXEL.replaceAll('/', '_').replaceAll('+', '-') } },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'I look it up.' },
            { functionCall: { id: 'c1', name: 'weather', args: { city: 'Zürich' } } },
            { functionCall: { id: 'c2', name: 'weather', args: { city: 'Bern', days: 2 } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'c2', name: 'weather', response: { error: 'no such town' } } },
            { functionResponse: { id: 'c1', name: 'weather', response: { output: '12 degrees' } } },
            { text: 'And tomorrow?' },
          ],
        },
      ],
      tools: [
        {
          functionDeclarations: [
            { name: 'weather', description: 'Tells the weather', parametersJsonSchema: schema },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
      generationConfig: {
        maxOutputTokens: 300,
        temperature: 0.5,
        topP: 0.9,
        topK: 20,
        stopSequences: ['END'],
        thinkingConfig: { includeThoughts: true },
      },
    },
  },
  {
    name: 'gemini request: in the other spelling, with what only Google has',
    api: 'gemini',
    request: {
      system_instruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { parts: [{ text: 'What is 6 times 7?' }] },
        {
          role: 'model',
          parts: [
            { executable_code: { language: 'PYTHON', code: 'print(6 * 7)' } },
            { code_execution_result: { outcome: 'OUTCOME_OK', output: '42' } },
            { text: 'It is 42.' },
          ],
        },
        {
          role: 'user',
          parts: [
            { text: 'Is it here?', video_metadata: { fps: 1 } },
            { inline_data: { mime_type: 'image/png', data: PIXEL } },
          ],
        },
      ],
      tools: [
        { google_search: { time_range_filter: {} } },
        { url_context: {} },
        {
          function_declarations: [
            {
              name: 'weather',
              description: 'Tells the weather',
              behavior: 'BLOCKING',
              parameters: {
                type: 'OBJECT',
                properties: { city: { type: 'STRING' }, days: { type: 'INTEGER', nullable: true } },
              },
            },
          ],
        },
      ],
      tool_config: { function_calling_config: { mode: 'VALIDATED' }, retrieval_config: {} },
      generation_config: {
        max_output_tokens: 300,
        seed: 7,
        presence_penalty: -0.5,
        candidate_count: 2,
        media_resolution: 'MEDIA_RESOLUTION_LOW',
        speech_config: {},
        thinking_config: { thinking_budget: 4_096 },
      },
      safety_settings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      labels: { team: 'a' },
    },
  },
  {
    name: 'gemini request: an answer of a shape',
    api: 'gemini',
    request: {
      contents: [{ role: 'user', parts: [{ text: 'How warm?' }] }],
      generationConfig: {
        responseMimeType: 'application/json',
        responseSchema: {
          type: 'OBJECT',
          properties: { degrees: { type: 'NUMBER', nullable: true } },
          required: ['degrees'],
          propertyOrdering: ['degrees'],
        },
      },
    },
  },
  {
    name: 'gemini request: a file that only Gemini can read',
    api: 'gemini',
    request: {
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'What is here?' },
            {
              fileData: {
                mimeType: 'image/png',
                fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/a',
              },
            },
          ],
        },
      ],
    },
  },
  {
    name: 'ollama request: a conversation with a picture and tools',
    api: 'ollama',
    request: {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is here, and how warm is it?', images: [PIXEL] },
        {
          role: 'assistant',
          content: 'I look it up.',
          thinking: 'Both cities.',
          tool_calls: [
            { function: { name: 'weather', arguments: { city: 'Zürich' } } },
            { function: { name: 'weather', arguments: { city: 'Bern', days: 2 } } },
          ],
        },
        { role: 'tool', tool_name: 'weather', content: '12 degrees' },
        { role: 'tool', tool_name: 'weather', content: '9 degrees' },
        { role: 'user', content: 'And tomorrow?' },
      ],
      tools: [chatTool],
      think: true,
      keep_alive: '5m',
      options: { num_predict: 300, num_ctx: 8_192, temperature: 0.5, top_p: 0.9, top_k: 20, stop: ['END'] },
    },
  },
  {
    name: 'ollama request: a prompt, and an answer of a shape',
    api: 'ollama',
    request: {
      prompt: 'How warm?',
      system: 'Be brief.',
      format,
      stream: false,
      template: '{{ .Prompt }}',
      options: { seed: 7, presence_penalty: 0.5, num_predict: -1 },
    },
  },
  {
    name: 'interactions request: steps with a picture and tools',
    api: 'interactions',
    request: {
      system_instruction: 'Be brief.',
      input: [
        {
          type: 'user_input',
          content: [
            { type: 'text', text: 'What is here, and how warm is it?' },
            { type: 'image', mime_type: 'image/png', data: PIXEL, resolution: 'low' },
          ],
        },
        { type: 'model_output', content: [{ type: 'text', text: 'I look it up.' }] },
        { type: 'function_call', id: 'c1', name: 'weather', arguments: { city: 'Zürich' } },
        { type: 'function_call', id: 'c2', name: 'weather', arguments: { city: 'Bern', days: 2 } },
        { type: 'function_result', call_id: 'c2', name: 'weather', result: 'no such town', is_error: true },
        {
          type: 'function_result',
          call_id: 'c1',
          name: 'weather',
          result: [{ type: 'text', text: '12 degrees' }],
        },
        { type: 'user_input', content: 'And tomorrow?' },
      ],
      tools: [
        { type: 'function', name: 'weather', description: 'Tells the weather', parameters: schema },
        { type: 'google_search', search_types: ['web_search'] },
        { type: 'url_context' },
        { type: 'google_maps' },
      ],
      generation_config: {
        max_output_tokens: 300,
        temperature: 0.5,
        top_p: 0.9,
        stop_sequences: ['END'],
        tool_choice: { allowed_tools: { mode: 'any', tools: ['weather'] } },
        speech_config: {},
      },
      labels: { team: 'a' },
    },
  },
  {
    name: 'interactions request: what a provider ran, and an answer of a shape',
    api: 'interactions',
    request: {
      input: [
        { role: 'user', content: 'How warm is it there?' },
        { type: 'code_execution_call', id: 'x', arguments: { code: 'print(42)' } },
        { type: 'code_execution_result', call_id: 'x', result: '42' },
        { role: 'model', content: [{ type: 'text', text: 'It is 42 degrees.' }] },
        { role: 'user', content: [{ type: 'text', text: 'In figures.' }] },
      ],
      stream: true,
      response_format: { type: 'text', mime_type: 'application/json', schema: format },
      generation_config: { seed: 7, thinking_level: 'high' },
    },
  },
  {
    name: 'interactions request: a file that only Gemini can read',
    api: 'interactions',
    request: {
      input: [
        { type: 'text', text: 'What is here?' },
        { type: 'document', mime_type: 'application/pdf', uri: 'gs://bucket/a.pdf' },
      ],
    },
  },
];
