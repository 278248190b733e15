import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

/** Reads a request of Ollama's own API: a chat, or a prompt, which is a chat with a single turn. */
export function ollamaAsking(body: Json): Asking {
  const system: string[] = [];
  const items: Item[] = [];
  /** Calls without a result. */
  const waiting: { id: string; name: string }[] = [];
  const { prompt, system: instruction, images } = body;
  const turns = Array.isArray(body.messages)
    ? objectsOf(body.messages)
    : [
        { role: 'system', content: instruction },
        { role: 'user', content: prompt, images },
      ];
  for (const message of turns) {
    const { role, content } = message;
    const text = stringOf(content) ?? '';
    if (role === 'system') system.push(text);
    else if (role === 'tool') items.push(resultOf(message, waiting));
    else if (role === 'user' || role === 'assistant') items.push(...saidIn(message, role, waiting));
    else unknownKind('Ollama', role);
  }
  const options = objectOf(body.options);
  const { format, think } = body;
  // A negative number means no limit.
  const limit = numberOf(options.num_predict) ?? -1;
  return {
    system: system.filter((text) => text !== '').join('\n'),
    items,
    tools: objectsOf(body.tools).map(({ function: declared }) => {
      const { name, description, parameters } = objectOf(declared);
      return {
        name: String(name),
        description: stringOf(description) ?? '',
        properties: propertiesOf(parameters),
      };
    }),
    hosted: [],
    choice: undefined,
    parameters: given({
      max: limit < 0 ? undefined : limit,
      temperature: options.temperature,
      topP: options.top_p,
      topK: options.top_k,
      seed: options.seed,
      stop: typeof options.stop === 'string' ? [options.stop] : options.stop,
      presence: options.presence_penalty,
      frequency: options.frequency_penalty,
      logprobs: body.logprobs,
      topLogprobs: body.top_logprobs,
      effort: typeof think === 'boolean' ? (think ? 'some' : 'none') : think,
      format: format === 'json' ? 'json_object' : format === '' ? undefined : format,
    }),
  };
}

function saidIn(message: Json, role: Role, waiting: { id: string; name: string }[]): Item[] {
  const calls = objectsOf(message.tool_calls).map((call, at): Item => {
    const { name, arguments: input } = objectOf(call.function);
    const id = stringOf(call.id) ?? `${String(name)}#${at}#${waiting.length}`;
    waiting.push({ id, name: String(name) });
    return { kind: 'call', id, name: String(name), input: written(input ?? {}) };
  });
  return [
    { kind: 'text', role, text: stringOf(message.content) ?? '' },
    ...listOf(message.images).map((data): Item => ({ kind: 'image', role, data: String(data) })),
    ...calls,
  ];
}

/** A result belongs to the call that it names, or otherwise to the first one without a result. */
function resultOf(message: Json, waiting: { id: string; name: string }[]): Item {
  const { tool_call_id: id, tool_name: name } = message;
  const place = waiting.findIndex((call) =>
    id === undefined ? name === undefined || call.name === name : call.id === id,
  );
  const [found] = place < 0 ? [] : waiting.splice(place, 1);
  return { kind: 'result', id: found?.id ?? 'none', text: stringOf(message.content) ?? '', failed: false };
}

const READ = new Set(
  'model messages stream format options think tools logprobs top_logprobs prompt system images suffix'.split(
    ' ',
  ),
);
/** Options for how Ollama's server keeps models and truncates prompts; they do not concern other vendors. */
const LOCAL = new Set(['keep_alive', 'truncate', 'shift']);
const OPTIONS = new Set(
  'num_predict temperature top_p top_k seed stop presence_penalty frequency_penalty'.split(' '),
);

/** The fields that are not read: providers without them must report them as left out. */
export function unreadOfOllama(body: Json): string[] {
  const says = ([, value]: [string, unknown]) =>
    value !== null && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);
  const { options } = body;
  return [
    ...Object.entries(body)
      .filter(says)
      .map(([name]) => name)
      .filter((name) => !READ.has(name) && !LOCAL.has(name)),
    ...(isObject(options) ? Object.keys(options).filter((name) => !OPTIONS.has(name)) : []),
  ];
}
