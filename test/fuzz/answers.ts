/** Valid answers of every provider for any request: what the upstream sends unless a case says otherwise. */
import type { JsonObject } from '../../src/wire/json.ts';
import type { Dice } from '../simulate/dice.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { ScriptedEnding } from '../helpers/scripted-endings.ts';
import { listOf, numberOf, objectOf } from '../../src/wire/json.ts';
import { ollamaText } from '../helpers/broken/ollama-wire.ts';
import { ANSWER, SPEAKERS } from '../helpers/speakers.ts';
import { textOf } from '../helpers/scripted-endings.ts';

export type Event = readonly [name: string, data: object];

/** The request to an upstream, as far as its path and body show. */
export interface Ask {
  readonly path: string;
  readonly body: JsonObject;
  readonly stream: boolean;
}

/** The kind of an answer: a chat by a speaker, a completion, or JSON or bytes that are passed on. */
export type Spoken =
  | SpeakerName
  | 'ollama'
  | 'interactions'
  | 'completions'
  | 'json'
  | 'media-stream'
  | 'bytes'
  | 'speech-stream';

/** A valid answer. */
export interface Sound {
  readonly spoken: Spoken;
  readonly events?: readonly Event[];
  /** The text after the events. */
  readonly end: string;
  readonly whole?: object;
  readonly bytes?: Buffer;
  /** Its text, if chat clients receive it. */
  readonly text?: string;
}

const PATHS: readonly (readonly [pattern: RegExp, spoken: Spoken])[] = [
  [/chat\/completions$|\/chat\/completions\?/, 'chat'],
  [/\/v2\/chat$/, 'cohere'],
  [/\/completions$/, 'completions'],
  [/\/messages$|:(?:streamR|r)awPredict$/, 'messages'],
  [/\/responses$/, 'responses'],
  [/:(?:generate|streamGenerate)Content/, 'gemini'],
  [/\/converse(?:-stream)?$/, 'converse'],
  [/\/api\/(?:chat|generate)$/, 'ollama'],
  [/\/interactions$/, 'interactions'],
  [/\/audio\/speech$/, 'bytes'],
];

export function spokenAt({ path, stream }: Ask): Spoken {
  const plain = path.replace(/\?(?!alt=).*/, '');
  const spoken = PATHS.find(([pattern]) => pattern.test(plain))?.[1] ?? 'json';
  if (stream && spoken === 'json') return 'media-stream';
  return stream && spoken === 'bytes' ? 'speech-stream' : spoken;
}

export function isSpeaker(spoken: Spoken): spoken is SpeakerName {
  return spoken in SPEAKERS;
}

/** Finish reasons of complete answers, by provider. */
const FINISHES: Readonly<Record<SpeakerName, string>> = {
  chat: 'stop',
  messages: 'end_turn',
  responses: 'completed',
  gemini: 'STOP',
  converse: 'end_turn',
  cohere: 'COMPLETE',
};

const WORDS = [
  'Hello ',
  'wörld ',
  '🌳 ',
  'and\n',
  'data: ',
  '{"a":1} ',
  '',
  '\u2028',
  'x'.repeat(300),
  '\t',
  '"quoted" ',
  '\\ ',
];

function taleOf(finish: string, dice: Dice): ScriptedEnding {
  const pieces = ['Well, ', ...Array.from({ length: dice.whole(0, 6) }, () => dice.pick(WORDS)), 'done.'];
  const usage = { input: dice.whole(1, 5_000), output: dice.whole(1, 500) };
  return { pieces, finish, terminated: true, usage };
}

/** Splits the text of a stream into its events. */
function eventsOf(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((block) => /^data: \{/m.test(block))
    .map((block) => {
      const lines = block.split('\n');
      const valueOf = (field: string) =>
        lines.find((line) => line.startsWith(field))?.slice(field.length) ?? '';
      return [valueOf('event: '), JSON.parse(valueOf('data: ')) as object] as const;
    });
}

export function soundAnswer(ask: Ask, dice: Dice): Sound {
  const spoken = spokenAt(ask);
  if (isSpeaker(spoken)) return chatAnswer(spoken, ask, dice);
  if (spoken === 'ollama') return lines(ask, dice);
  if (spoken === 'interactions') return interaction(dice);
  if (spoken === 'completions') return completion(ask);
  if (spoken === 'bytes')
    return { spoken, end: '', bytes: Buffer.from(`ID3${'\u0000\u00ff'.repeat(2_000)}`, 'latin1') };
  if (spoken === 'media-stream' || spoken === 'speech-stream')
    return { spoken, end: '', events: mediaEvents(ask) };
  return { spoken, end: '', whole: plainAnswer(ask) };
}

function chatAnswer(spoken: SpeakerName, ask: Ask, dice: Dice): Sound {
  const {
    events,
    whole,
    end = '',
  }: { events: readonly Event[]; whole: object; end?: string } = SPEAKERS[spoken];
  const count = choicesOf(ask);
  // Either the complete answer with all its parts, or a small one.
  if (dice.chance(0.4) && count === 1) return { spoken, events, whole, end, text: ANSWER.text };
  const tale = taleOf(FINISHES[spoken], dice);
  const told = eventsOf(textOf(spoken, tale, true));
  const answer = JSON.parse(textOf(spoken, tale, false)) as JsonObject;
  const text = (tale.pieces ?? []).join('');
  if (spoken !== 'chat' || count === 1) return { spoken, events: told, whole: answer, end, text };
  const indexed = (value: JsonObject, key: 'choices') => ({
    ...value,
    [key]: Array.from({ length: count }, (_, index) =>
      listOf(value[key]).map((each) => ({ ...objectOf(each), index })),
    ).flat(),
  });
  const many = told.map(([name, data]): Event => [name, indexed(data as JsonObject, 'choices')]);
  return { spoken, events: many, whole: indexed(answer, 'choices'), end, text };
}

/** Lines of Ollama's own chats and completions. */
function lines({ path }: Ask, dice: Dice): Sound {
  const frame = { model: 'm-1', created_at: '2025-01-01T00:00:00Z' };
  const calls = dice.chance(0.4) && path.endsWith('/chat');
  const tale: ScriptedEnding = {
    ...taleOf('stop', dice),
    ...(calls ? { call: ['{"city":', '"Paris"}'] } : {}),
  };
  const told = (stream: boolean) =>
    ollamaText(frame, tale, stream)
      .trim()
      .split('\n')
      .map((line) => saidAt(path, JSON.parse(line) as JsonObject));
  const [whole] = told(false);
  const text = (tale.pieces ?? []).join('');
  return { spoken: 'ollama', end: '', events: told(true).map((line) => ['', line]), whole: whole!, text };
}

/** An interaction of Gemini's API. */
function interaction(dice: Dice): Sound {
  const { pieces = [], usage } = taleOf('completed', dice);
  const calls = dice.chance(0.4);
  const status = calls ? 'requires_action' : 'completed';
  const head = { id: 'v1_1', object: 'interaction', model: 'm-1' };
  const used = {
    total_input_tokens: usage?.input,
    total_output_tokens: usage?.output,
    total_tokens: (usage?.input ?? 0) + (usage?.output ?? 0),
  };
  const thought = { type: 'thought', summary: [{ type: 'text', text: 'Hm.' }], signature: 'c2ln' };
  const call = { type: 'function_call', id: 'c1', name: 'weather' };
  const text = pieces.join('');
  const event = (type: string, data: object): Event => [type, { ...data, event_type: type }];
  const delta = (index: number, what: object) => event('step.delta', { index, delta: what });
  const events = [
    event('interaction.created', { interaction: { ...head, status: 'in_progress' } }),
    event('step.start', { index: 0, step: { type: 'thought' } }),
    delta(0, { type: 'thought_summary', content: thought.summary[0]! }),
    delta(0, { type: 'thought_signature', signature: 'c2ln' }),
    event('step.stop', { index: 0 }),
    event('step.start', { index: 1, step: { type: 'model_output' } }),
    ...pieces.map((piece) => delta(1, { type: 'text', text: piece })),
    event('step.stop', { index: 1 }),
    ...(calls
      ? [
          event('step.start', { index: 2, step: { ...call, arguments: {} } }),
          delta(2, { type: 'arguments_delta', arguments: '{"city":"Paris"}' }),
          event('step.stop', { index: 2 }),
        ]
      : []),
    event('interaction.completed', { interaction: { ...head, status, usage: used } }),
  ];
  const steps = [
    thought,
    { type: 'model_output', content: [{ type: 'text', text }] },
    ...(calls ? [{ ...call, arguments: { city: 'Paris' } }] : []),
  ];
  const end = 'event: done\ndata: [DONE]\n\n';
  return { spoken: 'interactions', end, events, whole: { ...head, status, steps, usage: used }, text };
}

/** The content of a completion's chunk. */
function saidAt(path: string, line: JsonObject): object {
  if (path.endsWith('/chat')) return line;
  const { message, ...rest } = line;
  return { ...rest, response: objectOf(message).content };
}

/** The number of choices that a client of chat or completions requested, as far as a provider would accept it. */
function choicesOf({ body }: Ask): number {
  const wanted = numberOf(body.n) ?? 1;
  return Number.isInteger(wanted) && wanted > 1 && wanted <= 128 ? wanted : 1;
}

function completion(ask: Ask): Sound {
  const prompts =
    Array.isArray(ask.body.prompt) && typeof ask.body.prompt[0] === 'string' ? ask.body.prompt.length : 1;
  const count = Math.min(500, choicesOf(ask) * Math.max(1, prompts));
  const frame = { id: 'cmpl-1', object: 'text_completion', created: 5, model: 'm-1' };
  const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
  const each = (text: string, finish: string | null) =>
    Array.from({ length: count }, (_, index) => ({ index, text, logprobs: null, finish_reason: finish }));
  return {
    spoken: 'completions',
    end: 'data: [DONE]\n\n',
    text: 'Once upon',
    events: [
      ['', { ...frame, choices: each('Once ', null) }],
      ['', { ...frame, choices: each('upon', null) }],
      ['', { ...frame, choices: each('', 'stop') }],
      ['', { ...frame, choices: [], usage }],
    ],
    whole: { ...frame, choices: each('Once upon', 'stop'), usage },
  };
}

function mediaEvents({ path }: Ask): Event[] {
  if (path.includes('/images/')) {
    return [
      [
        'image_generation.partial_image',
        { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: 'eA==' },
      ],
      [
        'image_generation.completed',
        {
          type: 'image_generation.completed',
          b64_json: 'eHg=',
          usage: { total_tokens: 5, input_tokens: 2, output_tokens: 3 },
        },
      ],
    ];
  }
  const [word, kind] = path.includes('speech') ? ['audio', 'speech.audio'] : ['delta', 'transcript.text'];
  return [
    ['', { type: `${kind}.delta`, [word]: 'aGk=' }],
    ['', { type: `${kind}.done`, text: 'hi', usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 } }],
  ];
}

const VECTOR = [0.5, -0.25];

function plainAnswer({ path, body }: Ask): object {
  if (/\/models(?:\?|$)|\/key$/.test(path)) return { object: 'list', data: [] };
  if (/(?:count|input)_tokens(?:\?|$)/.test(path))
    return { input_tokens: 12, object: 'response.input_tokens' };
  if (path.endsWith(':countTokens')) return { totalTokens: 12 };
  if (path.endsWith('/count-tokens')) return { inputTokens: 12 };
  if (path.endsWith('/compact')) {
    const usage = { input_tokens: 12, output_tokens: 3, total_tokens: 15 };
    const output = [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'gAAAA' }];
    return { id: 'resp_1', object: 'response.compaction', created_at: 1, output, usage };
  }
  if (path.endsWith('/rerank')) {
    return {
      id: 'r',
      results: [
        { index: 1, relevance_score: 0.9 },
        { index: 0, relevance_score: 0.1 },
      ],
      meta: { billed_units: { search_units: 1 } },
    };
  }
  if (path.endsWith('/moderations'))
    return { id: 'modr-1', model: 'm', results: [{ flagged: false, categories: {}, category_scores: {} }] };
  if (path.includes('/images/'))
    return {
      created: 5,
      data: [{ b64_json: 'eHg=' }],
      usage: { total_tokens: 5, input_tokens: 2, output_tokens: 3 },
    };
  if (path.includes('/audio/'))
    return { text: 'hi', usage: { type: 'tokens', input_tokens: 2, output_tokens: 3, total_tokens: 5 } };
  return vectors(path, body);
}

function vectors(path: string, body: JsonObject): object {
  if (path.endsWith('/api/embeddings')) return { embedding: VECTOR };
  const many = (list: unknown) =>
    Array.from({ length: Math.max(1, Math.min(5_000, listOf(list).length)) }, () => VECTOR);
  if (path.endsWith('/api/embed'))
    return { model: 'm-1', embeddings: many(body.input), prompt_eval_count: 6 };
  if (path.endsWith(':batchEmbedContents'))
    return { embeddings: many(body.requests).map((values) => ({ values })) };
  if (path.endsWith(':embedContent')) return { embedding: { values: VECTOR } };
  if (path.endsWith(':predict')) {
    return {
      predictions: many(body.instances).map((values) => ({
        embeddings: { values, statistics: { token_count: 3 } },
      })),
    };
  }
  if (path.endsWith('/invoke')) {
    return body.texts
      ? { embeddings: { float: many(body.texts) } }
      : { embedding: VECTOR, inputTextTokenCount: 4 };
  }
  if (path.endsWith('/v2/embed')) {
    return {
      id: 'e',
      embeddings: { float: many(body.texts ?? body.inputs) },
      meta: { billed_units: { input_tokens: 6 } },
    };
  }
  const { input, encoding_format: format } = body;
  const texts = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const packed = Buffer.from(new Float32Array(VECTOR).buffer).toString('base64');
  const data = many(texts).map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? packed : vector,
  }));
  return { object: 'list', data, model: 'm-1', usage: { prompt_tokens: 6, total_tokens: 6 } };
}
