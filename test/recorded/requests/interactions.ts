import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, listOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

const RAN = /_(?:call|result)$/;

/** Reads a request of Google's interactions. */
export function interactionsAsking(body: Json): Asking {
  const config = objectOf(body.generation_config);
  const { mode, names } = choiceIn(config.tool_choice);
  const tools = objectsOf(body.tools);
  const declared = tools.filter(({ type }) => type === 'function');
  // If several functions may be called, the others are not offered.
  const offered = names.length > 1 || mode !== 'any' ? declared.filter(isAmong(names)) : declared;
  return {
    system: stringOf(body.system_instruction) ?? '',
    items: stepsIn(body.input).flatMap(itemsOf),
    tools: offered.map(({ name, description, parameters }) => ({
      name: String(name),
      description: stringOf(description) ?? '',
      properties: propertiesOf(parameters),
    })),
    hosted: tools.filter(({ type }) => type !== 'function').map(({ type }) => String(type)),
    choice: mode === 'any' ? (names.length === 1 ? names[0] : 'required') : mode && AS_CHAT[mode],
    parameters: given({
      max: config.max_output_tokens,
      temperature: config.temperature,
      topP: config.top_p,
      seed: config.seed,
      stop: config.stop_sequences,
      effort: config.thinking_level,
      tier: body.service_tier,
      format: formatOf(body),
      modalities: body.response_modalities,
    }),
  };
}

const AS_CHAT: Readonly<Record<string, string>> = { auto: 'auto', validated: 'auto', none: 'none' };

function choiceIn(choice: unknown): { mode: string | undefined; names: string[] } {
  const { mode, tools } = objectOf(objectOf(choice).allowed_tools);
  if (!isObject(choice)) return { mode: stringOf(choice), names: [] };
  return { mode: stringOf(mode) ?? 'auto', names: listOf(tools).map(String) };
}

const isAmong =
  (names: readonly string[]) =>
  ({ name }: Json): boolean =>
    names.length === 0 || names.includes(String(name));

/** A text, a content or a list of contents is user input. */
function stepsIn(input: unknown): Json[] {
  const steps = objectsOf(input);
  const areSteps = steps.some(({ type, role }) => role !== undefined || isStep(String(type)));
  return areSteps ? steps : [{ type: 'user_input', content: input }];
}

function isStep(type: string): boolean {
  return ['user_input', 'model_output', 'thought'].includes(type) || RAN.test(type);
}

function itemsOf(step: Json): Item[] {
  const { role, content } = step;
  const type = step.type ?? (role === 'model' ? 'model_output' : 'user_input');
  if (type === 'user_input') return contentOf(content, 'user');
  if (type === 'model_output') return contentOf(content, 'assistant');
  if (type === 'thought') return [];
  if (type === 'function_call') {
    const { id, name, arguments: input } = step;
    return [{ kind: 'call', id: String(id), name: String(name), input: written(input ?? {}) }];
  }
  if (type === 'function_result') return resultOf(step);
  return RAN.test(String(type))
    ? [{ kind: 'ran', name: String(type) }]
    : unknownKind('The interactions API', type);
}

function resultOf({ call_id: id, result, is_error: failed }: Json): Item[] {
  const parts = Array.isArray(result) && result.every((each) => isObject(each) && each.type !== undefined);
  const said = parts ? contentOf(result, 'tool') : [];
  const texts = said.flatMap((item) => (item.kind === 'text' ? [item.text] : []));
  const text = parts ? texts.join('') : typeof result === 'string' ? result : written(result);
  return [
    { kind: 'result', id: String(id), text, failed: failed === true },
    ...said.filter(({ kind }) => kind !== 'text'),
  ];
}

function contentOf(content: unknown, role: Role | 'tool'): Item[] {
  if (typeof content === 'string') return [{ kind: 'text', role: role as Role, text: content }];
  const list = isObject(content) ? [content] : listOf(content);
  return list.flatMap((each): Item[] => {
    if (typeof each === 'string') return contentOf(each, role);
    const { type, text, data, uri } = objectOf(each);
    if (type === 'text') return [{ kind: 'text', role: role as Role, text: String(text) }];
    if (type === 'image' || type === 'audio' || type === 'video')
      return [{ kind: type, role, data: String(data ?? uri) }];
    if (type === 'document') return [{ kind: 'file', role, data: String(data ?? uri) }];
    return unknownKind('The interactions API', type);
  });
}

/** One format, or a list of them; originally only the schema. */
function formatOf({ response_format: asked, response_mime_type: type }: Json): unknown {
  const formats = isObject(asked) ? [asked] : objectsOf(asked);
  const text = formats.find((format) => format.type === 'text');
  if (text) return text.schema ?? (text.mime_type === 'application/json' ? 'json_object' : undefined);
  return formats[0] ?? (type === 'application/json' ? 'json_object' : undefined);
}

const READ = {
  request:
    'model input system_instruction tools generation_config response_format response_mime_type response_modalities service_tier stream store',
  config:
    'max_output_tokens temperature top_p seed stop_sequences thinking_level thinking_summaries tool_choice',
  function: 'type name description parameters',
  hosted: 'type',
  content: 'type text data uri mime_type annotations',
} as const;

/** The fields that are not read; options of a tool are prefixed with the tool. */
export function unreadOfInteractions(body: Json): string[] {
  const tools = objectsOf(body.tools);
  const steps = stepsIn(body.input);
  const content = steps.flatMap((step) =>
    isObject(step.content) ? [step.content] : objectsOf(step.content),
  );
  return [
    ...others('request', body),
    ...others('config', body.generation_config),
    ...tools.flatMap((tool) =>
      tool.type === 'function'
        ? others('function', tool)
        : others('hosted', tool).map((name) => `tools.${String(tool.type)}.${name}`),
    ),
    ...content.flatMap((each) => others('content', each)),
  ];
}

function others(kind: keyof typeof READ, object: unknown): string[] {
  const read = new Set(READ[kind].split(' '));
  return Object.entries(objectOf(object)).flatMap(([name, value]) =>
    value === null || read.has(name) ? [] : [name],
  );
}
