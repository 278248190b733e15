/** The ways in which the project is broken, one at a time. */
import type { Mutation } from './mutation.ts';
import { answering, asking, edit, FOLD } from './mutation.ts';

/** Code for an object without some of its fields. */
function without(...names: readonly string[]): string {
  const deletes = names.map((name) => `delete value.${name};`).join(' ');
  return `if (!Array.isArray(value)) { ${deletes} } return value;`;
}

/** Code that replaces the values of some fields. */
function put(values: Readonly<Record<string, string>>): string {
  const sets = Object.entries(values).map(
    ([name, value]) => `if (value.${name} !== undefined) value.${name} = ${value};`,
  );
  return `${sets.join(' ')} return value;`;
}

const REQUESTS: readonly Mutation[] = [
  asking(
    'roles are swapped',
    `const other: any = { user: 'assistant', assistant: 'user', model: 'user' };
    if (value.role in other) value.role = value.parts && value.role === 'user' ? 'model' : other[value.role];
    return value;`,
  ),
  asking('system prompts are not sent', `${without('system', 'systemInstruction', 'instructions')}`),
  asking(
    'pictures are replaced',
    `for (const name of ['data', 'bytes', 'url', 'image_url'])
      if (/^iVBOR|base64,iVBOR/.test(value[name])) value[name] = value[name].replace('iVBOR', 'iVBOS');
    return value;`,
  ),
  asking(
    'ids of calls are all x',
    put({ tool_use_id: "'x'", tool_call_id: "'x'", call_id: "'x'", toolUseId: "'x'" }),
  ),
  asking(
    'temperatures, top_p and limits are never sent',
    without(
      'temperature',
      'top_p',
      'topP',
      'p',
      'max_tokens',
      'max_output_tokens',
      'maxTokens',
      'maxOutputTokens',
    ),
  ),
  asking('stop sequences are never sent', without('stop', 'stop_sequences', 'stopSequences')),
  asking('tools are never sent', without('tools', 'toolConfig')),
  asking('descriptions of tools are never sent', without('description')),
  asking('the choice of a tool is never sent', without('tool_choice', 'toolChoice', 'functionCallingConfig')),
  asking(
    'results of tools are emptied',
    `if (value.type === 'tool_result' || value.role === 'tool') value.content = '';
    if (value.type === 'function_call_output') value.output = '';
    if (value.functionResponse) value.functionResponse.response = {};
    if (value.toolResult) value.toolResult.content = [];
    return value;`,
  ),
  asking('errors of tools become ordinary results', without('is_error', 'status')),
  asking(
    'arguments of earlier calls are emptied',
    put({
      input: 'Array.isArray(value.input) || typeof value.input === "string" ? value.input : {}',
      args: '{}',
      arguments: "'{}'",
    }),
  ),
  asking(
    'answers of a shape are not asked for',
    without(
      'response_format',
      'format',
      'responseJsonSchema',
      'responseSchema',
      'responseMimeType',
      'outputConfig',
      'output_config',
    ),
  ),
  asking(
    'a field that nobody knows is sent',
    `if (value.messages ?? value.contents ?? value.input) value.mutant = 1; return value;`,
    'schema',
  ),
];

const ANSWERS: readonly Mutation[] = [
  answering(
    'ids of calls are all x for clients',
    'ids',
    put({ call_id: "'x'", id: "typeof value.name === 'string' || value.function ? 'x' : value.id" }),
  ),
  answering(
    'usage is doubled',
    'usage',
    put(
      Object.fromEntries(
        ['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens'].map((name) => [
          name,
          `value.${name} * 2`,
        ]),
      ),
    ),
  ),
  answering(
    'cached tokens are not reported',
    'usage',
    put({ cached_tokens: '0', cache_read_input_tokens: '0' }),
  ),
  answering(
    'finish reasons are swapped',
    'finish',
    `const other: any = { stop: 'length', length: 'stop', tool_calls: 'stop', end_turn: 'max_tokens', max_tokens: 'end_turn', tool_use: 'end_turn' };
    for (const name of ['finish_reason', 'stop_reason']) if (value[name] in other) value[name] = other[value[name]];
    return value;`,
  ),
  answering(
    'the order of parts is reversed',
    'order',
    `return Array.isArray(value) && value.some((each) => each?.type === 'tool_use' || each?.type === 'function_call') ? value.toReversed() : value;`,
  ),
  answering(
    'log probabilities are dropped',
    'logprobs',
    put({ logprobs: 'Array.isArray(value.logprobs) ? [] : null' }),
  ),
  answering(
    'all choices but the first are dropped',
    'choices',
    put({ choices: 'value.choices.slice(0, 1)' }),
  ),
  answering(
    'thoughts are dropped',
    'thinking',
    put({
      reasoning_content: "''",
      thinking: "''",
      summary: 'Array.isArray(value.summary) ? [] : value.summary',
      delta: "value.type === 'response.reasoning_summary_text.delta' ? '' : value.delta",
    }),
  ),
  answering(
    'the last letter of texts is dropped',
    'text',
    put({
      text: 'String(value.text).slice(0, -1)',
      content: "typeof value.content === 'string' ? value.content.slice(0, -1) : value.content",
    }),
  ),
  answering(
    'arguments of calls are emptied',
    'calls',
    put({ arguments: "'{}'", partial_json: "'{}'", input: '{}' }),
  ),
  answering('sources are dropped', 'sources', put({ annotations: '[]', citations: '[]' })),
  answering('refusals are dropped', 'refusal', put({ refusal: "value.refusal === null ? null : ''" })),
];

const RELAY = 'pipeline/lanes/relay.ts';

const PLACES: readonly Mutation[] = [
  edit('the relay always throws', 'status', {
    file: RELAY,
    find: 'const issued = issuedFor(provider, model, context);',
    replace: "const issued = issuedFor(provider, model, context); if (model) throw new Error('mutant');",
  }),
  edit('relayed requests lose a parameter', 'request', {
    file: RELAY,
    find: 'writeBody({ ...written, ...added, model }',
    replace: 'writeBody({ ...written, ...added, temperature: undefined, model }',
  }),
  edit('relayed streams are changed', 'bytes', {
    file: 'pipeline/lanes/relay-fold.ts',
    find: 'const whole = together(pieces);',
    replace: 'const whole = together(pieces).map((byte) => (byte === 0x6c ? 0x72 : byte));',
  }),
  edit('Anthropic refuses all tools', 'status', {
    file: 'wire/anthropic/request.ts',
    find: 'return listOf(request.tools).flatMap((tool, index) => {',
    replace:
      "if (request.tools) throw new Error('mutant');\n  return listOf(request.tools).flatMap((tool, index) => {",
  }),
  // What it breaks depends on where the pieces end.
  edit('the second half of each piece of a stream is lost', ['library', 'text', 'ending', 'status'], {
    file: FOLD,
    find: 'this.#take(this.#parts.framing.push(bytes), false)',
    replace: 'this.#take(this.#parts.framing.push(bytes.subarray(0, bytes.length >> 1)), false)',
  }),
  edit(
    'a stream that broke off looks finished',
    'ending',
    {
      file: FOLD,
      find: 'const complete = reader.done || (ended && this.#tap.finished);',
      replace: 'const complete = reader.done || ended;',
    },
    {
      file: FOLD,
      find: 'return this.#tap.finish === null ? this.#tap.objection(null, this.#target) : undefined;',
      replace: 'return undefined;',
    },
  ),
  edit('what is left out is not reported', 'request', {
    file: 'server/inference.ts',
    find: "headers['x-llmproxy-dropped'] = headerList(reply.dropped);",
    replace: "headers['x-llmproxy-mutant'] = headerList(reply.dropped);",
  }),
  edit('a file that only Gemini can read is sent to others', 'request', {
    file: 'wire/fit.ts',
    find: 'refuseForeignFiles(request.messages, { protocol, quirks, model: quirks.like ?? model });',
    replace: '',
  }),
  edit('tools of Google are left out without a report', 'request', {
    file: 'wire/gemini/client-tools.ts',
    find: '...(hosted.length > 0 ? { hosted_tools: hosted } : {}),',
    replace: '',
  }),
  edit('settings of Gemini are left out without a report', 'request', {
    file: 'wire/gemini/client-config.ts',
    find: "for (const name of unknownIn(config, KNOWN)) dropped.add(`${at}.${name.replace(/^_/, '')}`);",
    replace: '',
  }),
  edit('every failure of a provider counts as a server error', 'fault', {
    file: 'wire/classify.ts',
    find: 'return { fault: faultOf(status, words), upstream };',
    replace: "return { fault: 'server', upstream };",
  }),
  edit('errors within a stream are not noticed', 'fault', {
    file: FOLD,
    find: 'this.#tap.error ??= this.#error(reader.error);',
    replace: '',
  }),
  edit('vectors are returned in another order', 'text', {
    file: 'wire/gemini/embeddings.ts',
    find: 'const vectors = given.map((each) => vectorOf(objectOf(each).values));',
    replace: 'const vectors = given.map((each) => vectorOf(objectOf(each).values)).toReversed();',
  }),
  edit('counted tokens are doubled', 'usage', {
    file: 'pipeline/lanes/count.ts',
    find: 'text: answer(tokens), finish: null',
    replace: 'text: answer(tokens * 2), finish: null',
  }),
  edit('a refusal is answered with another status', 'status', {
    file: 'errors.ts',
    find: 'if (!upstream || error.refusesKey || rule.status === 429) return rule.status;',
    replace: 'if (upstream) return 200;\n  if (!upstream) return rule.status;',
  }),
];

export const MUTATIONS: readonly Mutation[] = [...REQUESTS, ...ANSWERS, ...PLACES];
