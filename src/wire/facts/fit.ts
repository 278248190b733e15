/**
 * What no server, or none of a protocol, takes of a request that others do: changed before it is encoded. What one vendor or
 * model does otherwise are its quirks.
 */
import type { ChatMessage, ChatRequest, ContentPart } from '../chat.ts';
import type { ProtocolName } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import { isObject, listOf } from '../json.ts';
import { partsOf, withParts } from '../parts/message.ts';
import { fromVendorFields } from './vendor-fields.ts';
import { effortFor } from './effort.ts';

/** Where a text of blanks alone is refused. @see https://docs.claude.com/en/api/errors "text content blocks must contain non-whitespace text" */
const NO_BLANKS: ReadonlySet<ProtocolName> = new Set(['messages', 'converse']);

/** Where a conversation begins with its user. @see https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html */
const USER_FIRST: ReadonlySet<ProtocolName> = new Set(['converse']);

/** Tiers of service that say no more than nothing does. */
const PLAIN_TIERS: ReadonlySet<unknown> = new Set(['auto', 'default']);

/** What stands for words that are none, where there must be some. */
const NOTHING_SAID = '.';

/** A request as servers of a protocol take it, and what was left out. */
export function fitRequest(
  request: ChatRequest,
  protocol: ProtocolName,
  quirks: Quirks,
): { readonly request: ChatRequest; readonly dropped: readonly string[] } {
  // Servers of chat may know each other's fields.
  const { fields, dropped } =
    protocol === 'chat' ? { fields: {}, dropped: [] as string[] } : fromVendorFields(request);
  const fitted: ChatRequest = { ...request, ...fields };
  if (Array.isArray(request.messages)) fitted.messages = fittingMessages(request.messages, protocol);
  if (Array.isArray(request.tools)) fitted.tools = request.tools.map(typed) as ChatRequest['tools'];
  // Mistral's word, which its own quirks give back to it.
  if ((request.tool_choice as unknown) === 'any') fitted.tool_choice = 'required';
  for (const [kept, other] of quirks.exclusive ?? []) {
    if (isGiven(request[kept]) && isGiven(request[other])) {
      delete fitted[other];
      dropped.push(other);
    }
  }
  // Anthropic has tiers of its own.
  if (protocol === 'messages' && isGiven(request.service_tier) && !PLAIN_TIERS.has(request.service_tier))
    dropped.push('service_tier');
  if (quirks.efforts && isGiven(fitted.reasoning_effort)) {
    const effort = effortFor(fitted.reasoning_effort, quirks.efforts);
    if (effort === undefined) {
      delete fitted.reasoning_effort;
      dropped.push('reasoning_effort');
    } else fitted.reasoning_effort = effort as ChatRequest['reasoning_effort'];
  }
  return { request: fitted, dropped };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Some clients leave out what a tool is: nothing else was known when they were written. */
function typed(tool: unknown): unknown {
  return isObject(tool) && tool.type === undefined && isObject(tool.function)
    ? { type: 'function', ...tool }
    : tool;
}

function fittingMessages(messages: readonly ChatMessage[], protocol: ProtocolName): ChatMessage[] {
  const spoken = messages.filter((message) => !isSilent(message)).map(withMediaTypes);
  const said = NO_BLANKS.has(protocol) ? withoutBlanks(spoken) : spoken;
  const first = said.find(({ role }) => role !== 'system' && role !== 'developer');
  if (!USER_FIRST.has(protocol) || first?.role !== 'assistant') return said;
  const at = said.indexOf(first);
  return [...said.slice(0, at), { role: 'user', content: NOTHING_SAID }, ...said.slice(at)];
}

/** An answer of nothing but reasoning: without it nothing is left to be given back. */
function isSilent(message: ChatMessage): boolean {
  if (!isObject(message) || message.role !== 'assistant') return false;
  const { content, refusal, function_call: legacy, audio } = message as Partial<Record<string, unknown>>;
  if ([content, refusal, legacy, audio].some(isGiven)) return false;
  return partsOf(message).every((part) => part.type === 'thinking' && part.seal === undefined);
}

function withoutBlanks(messages: readonly ChatMessage[]): ChatMessage[] {
  const kept = messages.flatMap((message) => {
    if (!isObject(message)) return [message];
    const { content, role } = message as ChatMessage;
    if (Array.isArray(message.parts)) return [withoutBlankParts(message)];
    if (typeof content === 'string') return isBlank(content) ? wordless(message, role) : [message];
    if (!Array.isArray(content)) return [message];
    const parts = content.filter((part) => !(isObject(part) && part.type === 'text' && isBlank(part.text)));
    if (parts.length === content.length) return [message];
    return parts.length > 0 ? [{ ...message, content: parts }] : wordless(message, role);
  });
  const hasTurns = kept.some(({ role }) => role !== 'system' && role !== 'developer');
  return hasTurns ? kept : [...kept, { role: 'user', content: NOTHING_SAID }];
}

function withoutBlankParts(message: ChatMessage): ChatMessage {
  const parts = partsOf(message);
  const spoken = parts.filter((part) => part.type !== 'text' || !isBlank(part.text));
  return spoken.length === parts.length ? message : withParts(message, spoken);
}

/** A message whose words are blank: calls stay, and so do results, which must be there. */
function wordless(message: ChatMessage, role: string): ChatMessage[] {
  if (role === 'tool') return [message];
  return listOf(message.tool_calls).length > 0 ? [{ ...message, content: null }] : [];
}

function isBlank(text: unknown): boolean {
  return typeof text === 'string' && text.trim() === '';
}

/** Names of media types that clients use and providers do not know. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
};

/** A data URL's type, with parameters such as a charset, which say nothing about bytes. */
const DATA_TYPE = /^data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,/i;

function withMediaTypes(message: ChatMessage): ChatMessage {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const content = message.content.map((part) => (isObject(part) ? withMediaType(part as ContentPart) : part));
  return content.every((part, at) => part === (message.content as unknown[])[at])
    ? message
    : ({ ...message, content } as ChatMessage);
}

function withMediaType(part: ContentPart): ContentPart {
  const { image_url: image } = part;
  const url = isObject(image) ? image.url : image;
  if (part.type !== 'image_url' || typeof url !== 'string') return part;
  const plain = plainDataUrl(url);
  if (plain === url) return part;
  return { ...part, image_url: isObject(image) ? { ...image, url: plain } : plain } as ContentPart;
}

/** A data URL with a type that providers know and without parameters; any other URL as it is. */
function plainDataUrl(url: string): string {
  const found = DATA_TYPE.exec(url.slice(0, 200));
  if (!found) return url;
  const [whole, given = '', parameters, base64 = ''] = found;
  const type = given.toLowerCase();
  const known = MEDIA_TYPES[type] ?? type;
  return known === given && parameters === ''
    ? url
    : `data:${known}${base64}${','}${url.slice(whole.length)}`;
}
