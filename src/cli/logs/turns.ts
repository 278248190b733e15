/** A conversation in any protocol as readable text: who said what, in order. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, numberOf, stringOf } from '../../wire/json.ts';

/** The words of one side. */
export interface Turn {
  readonly who: string;
  /** Texts; anything else is a line in brackets. */
  readonly pieces: readonly string[];
}

/** The turns of a request whose protocol is recognised by its fields; empty if it is not a conversation. */
export function requestTurns(request: unknown): Turn[] {
  if (!isObject(request)) return [];
  const { system, instructions, messages, input, prompt, contents, systemInstruction } = request;
  return [
    ...turnsOf('system', system ?? instructions ?? partsIn(systemInstruction)),
    ...(Array.isArray(messages) ? messages.flatMap(messageTurns) : []),
    ...(typeof input === 'string' ? turnsOf('user', input) : listOf(input).flatMap(itemTurns)),
    ...turnsOf('user', prompt),
    ...listOf(contents).flatMap((content) =>
      isObject(content) ? turnsOf(stringOf(content.role) ?? 'user', partsIn(content)) : [],
    ),
  ];
}

/** The turns of an answer; one for each choice. */
export function answeredTurns(response: unknown): Turn[] {
  if (!isObject(response)) return [];
  const { choices, content, output, candidates, role } = response;
  const all = listOf(choices).filter(isObject);
  return [
    ...all.flatMap((choice, index) => {
      const who = all.length > 1 ? `assistant, choice ${index + 1}` : 'assistant';
      return isObject(choice.message)
        ? messageTurns({ ...choice.message, role: who })
        : turnsOf(who, choice.text);
    }),
    ...(Array.isArray(content) ? turnsOf(stringOf(role) ?? 'assistant', content) : []),
    ...listOf(output).flatMap(itemTurns),
    ...listOf(candidates).flatMap((candidate) =>
      isObject(candidate) ? turnsOf('assistant', partsIn(candidate.content)) : [],
    ),
  ];
}

/** A message of chat or of Anthropic's API. */
function messageTurns(message: unknown): Turn[] {
  if (!isObject(message)) return [];
  const { role, content, reasoning_content, reasoning, refusal, tool_calls, function_call, tool_call_id } =
    message;
  const thought = stringOf(reasoning_content) ?? stringOf(reasoning);
  const who = stringOf(role) ?? 'user';
  const pieces = [
    ...(thought ? [`[thinks] ${thought}`] : []),
    ...piecesOf(content),
    ...(typeof refusal === 'string' && refusal !== '' ? [`[refuses] ${refusal}`] : []),
    ...listOf(tool_calls).map(callText),
    ...(isObject(function_call) ? [callText(function_call)] : []),
  ];
  const name = typeof tool_call_id === 'string' ? `${who} ${tool_call_id}` : who;
  return pieces.length === 0 ? [] : [{ who: name, pieces }];
}

/** An item of OpenAI's Responses. */
function itemTurns(item: unknown): Turn[] {
  if (!isObject(item)) return [];
  const { type, role, content, summary } = item;
  if (type === undefined || type === 'message') return turnsOf(stringOf(role) ?? 'assistant', content);
  if (type === 'reasoning') {
    const words = [...listOf(summary), ...listOf(content)].flatMap(textOf).join('\n');
    return words === '' ? [] : [{ who: 'assistant', pieces: [`[thinks] ${words}`] }];
  }
  const who = String(type).endsWith('_output')
    ? `tool ${stringOf(item.call_id) ?? ''}`.trimEnd()
    : 'assistant';
  return [{ who, pieces: [blockText(item)] }];
}

function turnsOf(who: string, content: unknown): Turn[] {
  const pieces = piecesOf(content);
  return pieces.length === 0 ? [] : [{ who, pieces }];
}

function piecesOf(content: unknown): string[] {
  if (typeof content === 'string') return content === '' ? [] : [content];
  return listOf(content).flatMap((block) =>
    typeof block === 'string' ? [block] : isObject(block) ? [blockText(block)] : [],
  );
}

/** Gemini's content: its parts. */
function partsIn(content: unknown): unknown {
  return isObject(content) ? content.parts : undefined;
}

function textOf(block: unknown): string[] {
  const text = isObject(block) ? stringOf(block.text) : undefined;
  return text === undefined ? [] : [text];
}

/** The longest JSON that stands for a part that is not text, characters. */
const MOST_JSON = 500;

/** A content block in words. */
function blockText(block: JsonObject): string {
  const { type } = block;
  const text = stringOf(block.text);
  if (type === 'thinking') return `[thinks] ${stringOf(block.thinking) ?? ''}`;
  if (text !== undefined) return block.thought === true ? `[thinks] ${text}` : text;
  if (type === 'refusal') return `[refuses] ${stringOf(block.refusal) ?? ''}`;
  if (type === 'tool_use' || type === 'server_tool_use' || type === 'function_call') return callText(block);
  if (isObject(block.functionCall)) return callText(block.functionCall);
  if (type === 'tool_result' || type === 'function_call_output') {
    const id = stringOf(block.tool_use_id) ?? stringOf(block.call_id) ?? '';
    return `[result ${id}] ${piecesOf(block.content ?? block.output).join('\n')}`;
  }
  const picture = sizeOf(block);
  if (picture !== undefined) return picture;
  return `[${stringOf(type) ?? 'part'}] ${short(JSON.stringify(block))}`;
}

/** A call: "[calls] get_weather({"city":"Oslo"})". */
function callText(call: unknown): string {
  if (!isObject(call)) return '';
  const details = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : call;
  const { arguments: args, input, args: others } = details;
  const given = args ?? input ?? others ?? {};
  const shown = typeof given === 'string' ? given : JSON.stringify(given);
  const id = stringOf(call.call_id) ?? stringOf(call.id);
  return `[calls${id === undefined ? '' : ` ${id}`}] ${stringOf(details.name) ?? '?'}(${shown})`;
}

/** Images, audio and files: their type and size, or their address. */
function sizeOf(block: JsonObject): string | undefined {
  const { type, image_url: image, source, input_audio: audio, file, inlineData } = block;
  const url = stringOf(image) ?? (isObject(image) ? stringOf(image.url) : undefined);
  const held = [source, audio, file, inlineData].find(isObject);
  if (url === undefined && !held) return undefined;
  const data = url ?? stringOf(held?.data) ?? stringOf(held?.file_data) ?? stringOf(held?.url) ?? '';
  const what = stringOf(type) ?? 'data';
  const kind =
    stringOf(held?.media_type) ??
    stringOf(held?.mimeType) ??
    stringOf(held?.format) ??
    /^data:([\w/+.-]+)/.exec(data)?.[1];
  const isPlace = /^https?:/.test(data);
  const rest = isPlace ? short(data) : `${numberOf(data.length)} characters`;
  return `[${[what, kind, data === '' ? undefined : rest].filter(Boolean).join(', ')}]`;
}

function short(text: string): string {
  return text.length > MOST_JSON ? `${text.slice(0, MOST_JSON).toWellFormed()}…` : text;
}
