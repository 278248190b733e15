import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { dataOf, unknownKind } from '../answers/said.ts';
import { isObject, listOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';
import { fileItem } from './text-file.ts';

const RAN =
  /^(?:web_search|file_search|code_interpreter|mcp|computer|local_shell|shell|apply_patch|tool_search|image_generation)_call(?:_output)?$|^tool_search_output$|^mcp_\w+$|^program(?:_output)?$|^compaction$/;

/** Reads a request of the Responses API. */
export function responsesAsking(body: Json): Asking {
  const system = [stringOf(body.instructions) ?? ''];
  const items: Item[] = [];
  const tools = toolsIn(body.tools);
  if (typeof body.input === 'string') items.push({ kind: 'text', role: 'user', text: body.input });
  for (const item of objectsOf(body.input)) {
    const { type = 'message', role, content } = item;
    if (type === 'reasoning') continue;
    if (type === 'additional_tools' || type === 'tool_search_output') tools.push(...toolsIn(item.tools));
    if (type === 'additional_tools') continue;
    if (type === 'message') {
      if (role === 'system' || role === 'developer') system.push(textsOf(content));
      else items.push(...partsOf(content, role === 'assistant' ? 'assistant' : 'user'));
    } else if (type === 'function_call') {
      const { call_id: id, name, arguments: input } = item;
      items.push({ kind: 'call', id: String(id), name: String(name), input: String(input) });
    } else if (type === 'function_call_output') {
      const { call_id: id, output } = item;
      items.push({ kind: 'result', id: String(id), text: textsOf(output), failed: false });
      const media = partsOf(output, 'user').filter(({ kind }) => kind !== 'text');
      items.push(
        ...(typeof output === 'string' ? [] : media.map((each) => ({ ...each, role: 'tool' }) as Item)),
      );
    } else if (isSearchOfClient(item)) items.push(searchItem(item));
    else if (RAN.test(String(type))) items.push({ kind: 'ran', name: String(type) });
    else unknownKind('Responses', type);
  }
  const { format, verbosity } = objectOf(body.text);
  const { type: shape, schema } = objectOf(format);
  return {
    system: system.filter((text) => text !== '').join('\n'),
    items,
    tools: offered(tools, body.tool_choice).map(({ name, description, parameters }) => ({
      name: String(name),
      description: stringOf(description) ?? '',
      properties: propertiesOf(parameters),
    })),
    hosted: tools.filter(({ type }) => type !== 'function').map(({ type }) => String(type)),
    choice: choiceOf(body.tool_choice),
    parameters: given({
      max: body.max_output_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      logprobs: listOf(body.include).includes('message.output_text.logprobs') ? true : undefined,
      topLogprobs: body.top_logprobs,
      parallel: body.parallel_tool_calls,
      effort: objectOf(body.reasoning).effort,
      format: shape === undefined || shape === 'text' ? undefined : (schema ?? shape),
      user: body.safety_identifier ?? body.user,
      tier: body.service_tier,
      verbosity,
    }),
  };
}

/** Whether the client searches for tools itself. */
function isSearchOfClient({ type, call_id: id, execution }: Json): boolean {
  return (
    /^tool_search_(?:call|output)$/.test(String(type)) && typeof id === 'string' && execution !== 'server'
  );
}

/** Such a search is a call of a function, and its result are the names of the tools. */
function searchItem({ type, call_id: call, arguments: input, tools }: Json): Item {
  const id = String(call);
  return type === 'tool_search_call'
    ? { kind: 'call', id, name: 'tool_search', input: JSON.stringify(input) }
    : {
        kind: 'result',
        id,
        text: JSON.stringify({ tools: objectsOf(tools).map(({ name }) => name) }),
        failed: false,
      };
}

/**
 * Functions that may be called: a choice may allow only some of them. Those that a search found may be listed already.
 */
function offered(tools: readonly Json[], choice: unknown): Json[] {
  const functions = tools.filter(({ type }) => type === 'function');
  const once = functions.filter(({ name }, at) => functions.findIndex((each) => each.name === name) === at);
  const { type, tools: allowed } = objectOf(choice);
  if (type !== 'allowed_tools') return once;
  const names = new Set(objectsOf(allowed).map(({ name }) => name));
  return once.filter(({ name }) => names.has(name));
}

/** The tools, including those in a namespace. */
function toolsIn(list: unknown): Json[] {
  return objectsOf(list).flatMap((tool) => (tool.type === 'namespace' ? toolsIn(tool.tools) : [tool]));
}

function textsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map(({ text, refusal }) => stringOf(text ?? refusal) ?? '')
    .join('\n');
}

function partsOf(content: unknown, role: Role): Item[] {
  if (typeof content === 'string') return [{ kind: 'text', role, text: content }];
  return objectsOf(content).flatMap((part): Item[] => {
    const { type } = part;
    if (type === 'input_text' || type === 'output_text' || type === 'text')
      return [{ kind: 'text', role, text: String(part.text) }];
    if (type === 'refusal') return [{ kind: 'text', role, text: String(part.refusal) }];
    if (type === 'input_image')
      return [{ kind: 'image', role, data: dataOf(part.image_url ?? part.file_id) }];
    if (type === 'input_file')
      return [fileItem(part.file_data ?? part.file_url ?? part.file_id, part.filename, role)];
    if (type === 'input_audio')
      return [{ kind: 'audio', role, data: String(objectOf(part.input_audio).data) }];
    return unknownKind('Responses', type);
  });
}

function choiceOf(choice: unknown): string | undefined {
  return isObject(choice) ? stringOf(choice.name ?? choice.mode) : stringOf(choice);
}
