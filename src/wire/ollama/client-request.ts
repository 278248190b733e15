import type { ChatMessage, ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { flagIn, nameAt, objectAt, objectsAt, wrong } from '../anthropic/client-check.ts';
import { isObject, stringOf } from '../json.ts';
import { wordOf } from '../words.ts';
import { decodeMessages, shown } from './client-messages.ts';
import { decodeOptions } from './client-options.ts';

/** What both kinds of requests have. How long Ollama keeps a model in memory says nothing elsewhere. */
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

export interface OllamaAsked {
  readonly request: ChatRequest;
  /** Names of what has no counterpart: fields, `options.<name>`. */
  readonly dropped: string[];
}

/**
 * A request to /api/chat in OpenAI's chat shape.
 * @throws ProxyError `invalid_request` naming the field at fault
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
export function decodeChat(body: JsonObject): OllamaAsked {
  const dropped = namesBeside(body, CHAT);
  const messages = decodeMessages(body);
  const tools = decodeTools(body.tools, dropped);
  return asked(body, messages, tools.length > 0 ? { tools } : {}, dropped);
}

/**
 * A request to /api/generate: a prompt alone, as a chat of one turn.
 * @throws ProxyError `invalid_request` naming the field at fault, `unsupported` for a text with a gap
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
export function decodeGenerate(body: JsonObject): OllamaAsked {
  const dropped = namesBeside(body, GENERATE);
  const prompt = textOf(body, 'prompt');
  const system = textOf(body, 'system');
  if (textOf(body, 'suffix') !== '') throw noGap();
  const messages: ChatMessage[] = [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: shown(prompt, body.images, '') },
  ];
  return asked(body, messages, {}, dropped);
}

/** Whether it asks for nothing but to have the model loaded, or let go. */
export function asksNothing(body: JsonObject): boolean {
  if (Array.isArray(body.messages)) return body.messages.length === 0;
  return body.messages === undefined && (body.prompt ?? '') === '' && body.images === undefined;
}

function asked(
  body: JsonObject,
  messages: ChatMessage[],
  more: Partial<ChatRequest>,
  dropped: Set<string>,
): OllamaAsked {
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

/** What says nothing, such as `raw: false` or a list without members, is not named. */
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
  return new ProxyError('unsupported', 'Cannot fill a gap: a chat has no word for what follows it', {
    param: 'suffix',
  });
}

/** They have OpenAI's shape. */
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
