import type { ChatMessage, ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { flagIn, nameAt, objectAt, objectsAt, wrong } from '../anthropic/client-check.ts';
import { isObject, stringOf } from '../json.ts';
import { wordOf } from '../words.ts';
import { decodeMessages, shown } from './client-messages.ts';
import { decodeOptions } from './client-options.ts';

/** Fields of both endpoints. `keep_alive` has no equivalent elsewhere. */
const COMMON = [
  'model',
  'stream',
  'format',
  'options',
  'think',
  'keep_alive',
  'logprobs',
  'top_logprobs',
  'truncate',
  'shift',
];
const CHAT: ReadonlySet<string> = new Set([...COMMON, 'messages', 'tools']);
const GENERATE: ReadonlySet<string> = new Set([...COMMON, 'prompt', 'system', 'images', 'suffix']);

export interface OllamaRequest {
  readonly request: ChatRequest;
  /** The names of what has no counterpart: fields, `options.<name>`. */
  readonly dropped: string[];
}

/**
 * Decodes a request to /api/chat to OpenAI's chat format.
 * @throws ProxyError `invalid_request` naming the invalid field
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
export function decodeChat(body: JsonObject): OllamaRequest {
  const dropped = namesBeside(body, CHAT);
  const messages = decodeMessages(body);
  const tools = decodeTools(body.tools, dropped);
  return decoded(body, messages, tools.length > 0 ? { tools } : {}, dropped);
}

/**
 * Decodes a request to /api/generate: a prompt only, as a chat of one turn.
 * @throws ProxyError `invalid_request` naming the invalid field, `unsupported` for infilling
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
export function decodeGenerate(body: JsonObject): OllamaRequest {
  const dropped = namesBeside(body, GENERATE);
  const prompt = textOf(body, 'prompt');
  const system = textOf(body, 'system');
  if (textOf(body, 'suffix') !== '') throw noGap();
  const messages: ChatMessage[] = [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: shown(prompt, body.images, '') },
  ];
  return decoded(body, messages, {}, dropped);
}

/** Whether it only asks to load or unload the model. */
export function asksNothing(body: JsonObject): boolean {
  if (Array.isArray(body.messages)) return body.messages.length === 0;
  return body.messages === undefined && (body.prompt ?? '') === '' && body.images === undefined;
}

function decoded(
  body: JsonObject,
  messages: ChatMessage[],
  more: Partial<ChatRequest>,
  dropped: Set<string>,
): OllamaRequest {
  const stream = body.stream === undefined || body.stream === null || flagIn(body, 'stream', '');
  const request: ChatRequest = {
    model: nameAt(body, 'model', ''),
    messages,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...decodeOptions(body, dropped),
    ...more,
  };
  return { request, dropped: [...dropped] };
}

/** Empty values, such as `raw: false` or an empty list, are not named. */
function namesBeside(body: JsonObject, known: ReadonlySet<string>): Set<string> {
  const says = (value: unknown) =>
    value !== null && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);
  return new Set(Object.keys(body).filter((name) => !known.has(name) && says(body[name])));
}

function textOf(body: JsonObject, name: string): string {
  const value = body[name] ?? '';
  if (typeof value === 'string') return value;
  throw wrong(name, 'expected a string');
}

function noGap(): ProxyError {
  return new ProxyError('unsupported', 'Cannot fill a gap: chat cannot express the text after it', {
    param: 'suffix',
  });
}

/** They are in OpenAI's format. */
function decodeTools(tools: unknown, dropped: Set<string>): ChatTool[] {
  return objectsAt(tools ?? [], 'tools', false).flatMap((tool, index) => {
    const at = `tools.${index}`;
    if (tool.type !== undefined && tool.type !== 'function') {
      dropped.add(`tools.${wordOf(tool.type)}`);
      return [];
    }
    const declared = objectAt(tool, 'function', at);
    const { description, parameters } = declared;
    return [
      {
        type: 'function',
        function: {
          name: nameAt(declared, 'name', `${at}.function`),
          ...(stringOf(description) === undefined ? {} : { description: stringOf(description)! }),
          parameters: isObject(parameters) ? parameters : { type: 'object', properties: {} },
        },
      },
    ];
  });
}
