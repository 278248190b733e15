import type { Json } from '../read/json.ts';
import type { Asking, Item, Role, Tool } from './asking.ts';
import { dataOf, unknownKind, written } from '../answers/said.ts';
import { isObject, listOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

/** Reads a request for a chat completion. */
export function chatAsking(body: Json): Asking {
  const system: string[] = [];
  const items: Item[] = [];
  for (const message of objectsOf(body.messages)) {
    const { role, content } = message;
    if (role === 'system' || role === 'developer') system.push(textsOf(content));
    else if (role === 'tool' || role === 'function') {
      const id = stringOf(message.tool_call_id) ?? stringOf(message.name) ?? '';
      items.push({ kind: 'result', id, text: textsOf(content), failed: false });
      items.push(...partsOf(content, 'user').filter(({ kind }) => kind !== 'text'));
    } else if (role === 'user') items.push(...partsOf(content, 'user'));
    else if (role === 'assistant') assistant(items, message);
    else unknownKind('chat', role);
  }
  const all = [...objectsOf(body.tools), ...objectsOf(body.functions).map((each) => ({ function: each }))];
  const format = objectOf(body.response_format);
  return {
    system: system.join('\n'),
    items,
    tools: all.flatMap(toolOf),
    hosted: [
      ...all.filter((tool) => !isObject((tool as Json).function)).map((tool) => String((tool as Json).type)),
      ...(body.web_search_options === undefined ? [] : ['web_search_options']),
    ],
    choice: choiceOf(body.tool_choice ?? body.function_call),
    parameters: given({
      max: body.max_completion_tokens ?? body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: typeof body.stop === 'string' ? [body.stop] : body.stop,
      seed: body.seed ?? body.random_seed,
      presence: body.presence_penalty,
      frequency: body.frequency_penalty,
      n: body.n,
      logprobs: body.logprobs,
      topLogprobs: body.top_logprobs,
      bias: body.logit_bias,
      parallel: body.parallel_tool_calls,
      effort:
        body.reasoning_effort ??
        effortOf(body.thinking) ??
        effortOf(body.reasoning) ??
        (body.enable_thinking === false ? 'none' : undefined),
      modalities: body.modalities,
      format:
        format.type === undefined || format.type === 'text'
          ? undefined
          : (objectOf(format.json_schema).schema ?? format.type),
      user: body.safety_identifier ?? body.user,
      tier: body.service_tier,
      verbosity: body.verbosity,
    }),
  };
}

function assistant(items: Item[], message: Json): void {
  items.push(...partsOf(message.content, 'assistant'));
  for (const call of objectsOf(message.tool_calls)) {
    const { name, arguments: text } = objectOf(call.function);
    const input = isObject(text) ? written(text) : (stringOf(text) ?? '');
    items.push({ kind: 'call', id: String(call.id), name: String(name), input });
  }
  const { function_call: legacy } = message;
  if (!isObject(legacy)) return;
  const name = String(legacy.name);
  items.push({ kind: 'call', id: name, name, input: stringOf(legacy.arguments) ?? '' });
}

function textsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map(({ text }) => stringOf(text) ?? '')
    .join('\n');
}

function partsOf(content: unknown, role: Role): Item[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', role, text: content }];
  return listOf(content).flatMap((each): Item[] => {
    if (typeof each === 'string') return [{ kind: 'text', role, text: each }];
    const part = objectOf(each);
    const { type } = part;
    if (type === 'text') return [{ kind: 'text', role, text: String(part.text) }];
    if (type === 'refusal') return [{ kind: 'text', role, text: String(part.refusal) }];
    if (type === 'thinking') return [];
    if (type === 'image_url') {
      const { image_url: image } = part;
      return [{ kind: 'image', role, data: dataOf(isObject(image) ? image.url : image) }];
    }
    if (type === 'video_url' || type === 'audio_url') {
      const { video_url: video, audio_url: audio } = part;
      const given = video ?? audio;
      const kind = type === 'video_url' ? 'video' : 'audio';
      return [{ kind, role, data: dataOf(isObject(given) ? given.url : given) }];
    }
    if (type === 'input_audio') {
      return [{ kind: 'audio', role, data: String(objectOf(part.input_audio).data) }];
    }
    if (type === 'file') {
      const { file_data: data, file_id: id } = objectOf(part.file);
      return [{ kind: 'file', role, data: dataOf(data ?? id) }];
    }
    const { document_url: document, file_url: file } = part;
    if (type === 'document_url' || type === 'file_url') {
      const given = document ?? file;
      return [{ kind: 'file', role, data: dataOf(isObject(given) ? given.url : given) }];
    }
    return unknownKind('chat', type);
  });
}

function toolOf(tool: Json): Tool[] {
  if (!isObject(tool.function)) return [];
  const { name, description, parameters } = tool.function;
  return [
    { name: String(name), description: stringOf(description) ?? '', properties: propertiesOf(parameters) },
  ];
}

/** The reasoning effort as chat vendors write it instead of OpenAI's own field. */
function effortOf(asked: unknown): unknown {
  if (!isObject(asked)) return undefined;
  if (asked.type === 'disabled' || asked.enabled === false) return 'none';
  // Z.ai's option for whether earlier thinking is kept.
  if (asked.type === undefined && Object.keys(asked).every((name) => name === 'clear_thinking'))
    return undefined;
  return stringOf(asked.effort) ?? 'some';
}

function choiceOf(choice: unknown): string | undefined {
  if (typeof choice === 'string') return choice === 'any' ? 'required' : choice;
  if (!isObject(choice)) return undefined;
  return stringOf(objectOf(choice.function).name) ?? stringOf(choice.name);
}
