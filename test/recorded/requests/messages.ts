import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

const RAN = /^server_tool_use$|^mcp_tool_(?:use|result)$|(?<!^)_tool_result$|^fallback$/;

/** Reads a request of the Messages API. */
export function messagesAsking(body: Json): Asking {
  const system = [textsOf(body.system)];
  const items: Item[] = [];
  const added: Json[] = [];
  for (const { role, content } of objectsOf(body.messages)) {
    if (role === 'system') {
      system.push(textsOf(content));
      added.push(...objectsOf(content).filter(({ type }) => type === 'tool_addition'));
    } else items.push(...partsOf(content, role === 'assistant' ? 'assistant' : 'user'));
  }
  const tools = objectsOf(body.tools);
  const own = tools.filter(({ type }) => type === undefined || type === 'custom');
  // Tools that are added later are offered to other providers from the beginning.
  const offered = new Set(own.map(({ name }) => name));
  const unknown = added.filter(({ tool }) => !offered.has(objectOf(tool).name));
  const { disable_parallel_tool_use: alone } = objectOf(body.tool_choice);
  const effort = objectOf(body.output_config).effort;
  const format = objectOf(objectOf(body.output_config).format ?? body.output_format);
  return {
    system: system.filter((text) => text !== '').join('\n'),
    items,
    tools: own.map(({ name, description, input_schema: schema }) => ({
      name: String(name),
      description: stringOf(description) ?? '',
      properties: propertiesOf(schema),
    })),
    hosted: [
      ...[...tools.filter((tool) => !own.includes(tool)), ...unknown].map(({ type }) => String(type)),
      ...objectsOf(body.mcp_servers).map(() => 'mcp_servers'),
    ],
    choice: choiceOf(objectOf(body.tool_choice)),
    parameters: given({
      max: body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop_sequences,
      effort: effort ?? thinkingOf(body.thinking),
      format: format.schema,
      user: objectOf(body.metadata).user_id,
      tier: body.service_tier,
      parallel: alone === undefined ? undefined : !alone,
    }),
  };
}

function thinkingOf(thinking: unknown): string | undefined {
  if (!isObject(thinking)) return undefined;
  // With adaptive thinking, the given effort makes no difference.
  if (thinking.type === 'adaptive') return 'adaptive';
  return thinking.type === 'disabled' ? 'none' : 'some';
}

function textsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map(({ text, tool_name: referred }) => stringOf(text ?? referred) ?? '')
    .join('\n');
}

function partsOf(content: unknown, role: Role): Item[] {
  if (typeof content === 'string') return [{ kind: 'text', role, text: content }];
  return objectsOf(content).flatMap((block): Item[] => {
    const { type } = block;
    if (type === 'text') return [{ kind: 'text', role, text: String(block.text) }];
    if (type === 'thinking' || type === 'redacted_thinking') return [];
    if (type === 'image' || type === 'document') return [mediumOf(block, role)];
    if (type === 'tool_use') {
      const { id, name, input } = block;
      return [{ kind: 'call', id: String(id), name: String(name), input: written(input ?? {}) }];
    }
    if (type === 'tool_result') return resultOf(block);
    // A compacted item is sent as text to other providers.
    if (type === 'compaction') return [{ kind: 'text', role, text: String(block.content) }];
    if (RAN.test(String(type))) return [{ kind: 'ran', name: String(type) }];
    return unknownKind('Messages', type);
  });
}

/** A plain text document is sent as text, after its title. */
function mediumOf({ type, source, title }: Json, role: Role | 'tool'): Item {
  const { data, url, file_id: id, type: way } = objectOf(source);
  if (way === 'text' && role !== 'tool') {
    return { kind: 'text', role, text: `${stringOf(title) ?? ''}${String(data)}` };
  }
  return { kind: type === 'image' ? 'image' : 'file', role, data: String(data ?? url ?? id) };
}

function resultOf({ tool_use_id: id, content, is_error: failed }: Json): Item[] {
  const media = objectsOf(content).filter(({ type }) => type === 'image' || type === 'document');
  return [
    { kind: 'result', id: String(id), text: textsOf(content), failed: failed === true },
    ...media.map((block) => mediumOf(block, 'tool')),
  ];
}

function choiceOf({ type, name }: Json): string | undefined {
  return type === 'any' ? 'required' : type === 'tool' ? String(name) : stringOf(type);
}
