import type { ChatMessage, ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { hostedTools, knownOptions, toChatOptions, wordFor } from '../parts/hosted-tools.ts';
import { partsWithSeals } from '../parts/message.ts';
import { rootSchema } from '../parts/root-schema.ts';
import { applyQuirks } from '../quirks.ts';
import { detailsIn } from './reasoning-details.ts';
import { signedCalls } from './signed-calls.ts';
import { requireMessages } from '../requirements.ts';

/** Canonical fields that belong to other protocols and are unknown to all OpenAI servers. */
const FOREIGN = ['thinking', 'output_config', 'cache_control', 'top_k'] as const;

/**
 * Encodes a canonical request for an OpenAI chat server. Fields from other protocols are removed, since a strict server
 * would reject them with 400.
 */
export function encodeChatRequest(
  request: ChatRequest,
  { model, quirks, memory }: Pick<EncodeContext, 'model' | 'quirks' | 'memory'>,
): { body: JsonObject; dropped: string[] } {
  requireMessages(request);
  const body: JsonObject = { ...request, model };
  const dropped: string[] = [];
  for (const name of FOREIGN) {
    if (body[name] === undefined || quirks.keeps?.includes(name)) continue;
    delete body[name];
    // Reasoning is also requested by effort, and caching is optional: nothing is lost with these.
    if (name === 'top_k') dropped.push(name);
  }
  searching(body, request, { model, quirks }, dropped);
  // OpenAI accepts it only together with storage.
  if (body.store !== true) delete body.metadata;
  body.messages = request.messages.map((message) => encodeMessage(message, { model, quirks, memory }));
  if (Array.isArray(request.tools)) body.tools = request.tools.map((tool) => encodeTool(tool, quirks));
  if (request.stream) body.stream_options = { ...request.stream_options, include_usage: true };
  const changed = applyQuirks(body, quirks);
  return {
    body: changed?.request ?? body,
    dropped: [...dropped, ...(changed?.dropped ?? [])],
  };
}

function encodeTool(tool: object, quirks: Quirks): JsonObject {
  const plain = withoutMarker(tool, quirks);
  const fn = objectOf(plain.function);
  if (!quirks.objectRoots || !isObject(fn.parameters)) return plain;
  const parameters = rootSchema(fn.parameters);
  return parameters === fn.parameters ? plain : { ...plain, function: { ...fn, parameters } };
}

/** Models with web search: others reject its options. */
const SEARCHES = /search|sonar/;

/** Of the hosted tools chat only has web search, which some vendors support. */
function searching(
  body: JsonObject,
  request: ChatRequest,
  { model, quirks }: Pick<EncodeContext, 'model' | 'quirks'>,
  dropped: string[],
): void {
  delete body.hosted_tools;
  if (request.hosted_tools === undefined) return;
  const searches = SEARCHES.test(model) || quirks.keeps?.includes('web_search_options');
  for (const tool of hostedTools(request)) {
    if (tool.name !== 'web_search' || !searches) dropped.push(wordFor(tool));
    else {
      const known = ['user_location', 'search_context_size'] as const;
      body.web_search_options = toChatOptions(knownOptions(tool, known, dropped));
    }
  }
}

/** Fields of a message that no chat server accepts back. */
const OURS = [
  'parts',
  'thinking_blocks',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'annotations',
  'images',
  'audio',
  'is_error',
  'extra_content',
] as const;

type Coding = Pick<EncodeContext, 'model' | 'quirks' | 'memory'>;

function encodeMessage(message: ChatMessage, { model, quirks, memory }: Coding): JsonObject {
  const plain = { ...withoutMarker(message, quirks) };
  for (const name of OURS) delete plain[name];
  if (Array.isArray(plain.content)) {
    plain.content = plain.content.map((part) => (isObject(part) ? encodePart(part, quirks) : part));
  }
  if (message.role !== 'assistant') return plain;
  if (Array.isArray(plain.tool_calls)) {
    plain.tool_calls = encodeCalls(plain.tool_calls, { model, quirks, memory });
  }
  const details = partsWithSeals(message, memory).flatMap((part) =>
    part.type === 'thinking' && part.seal ? detailsIn(part.seal) : [],
  );
  if (details.length > 0) plain.reasoning_details = details;
  const reasoning = message.reasoning_content ?? stringOf(message.reasoning);
  const shown = quirks.reasoning ?? 'left_out';
  if (shown === 'every_turn') plain.reasoning_content = reasoning ?? '';
  else if (shown === 'where_known' && reasoning) plain.reasoning_content = reasoning;
  return plain;
}

/** @throws ProxyError `unsupported` for an image stored at a provider, which chat cannot refer to */
function encodePart(part: JsonObject, quirks: Quirks): JsonObject {
  const { image, ...plain } = withoutMarker(part, quirks);
  if (plain.type !== 'file' || image === undefined) return image === undefined ? plain : { ...plain, image };
  if (objectOf(plain.file).file_id === undefined) return plain;
  const state = 'an image must be data or a URL, not a file stored at its provider';
  throw new ProxyError('unsupported', `Cannot translate messages: ${state}`, { param: 'messages' });
}

/** Google's signature of a call is sent back to Google only. */
function encodeCalls(calls: readonly unknown[], { model, quirks, memory }: Coding): unknown {
  const plain = calls.map((call) => withoutMarker(objectOf(call), quirks));
  if (quirks.keeps?.includes('extra_content'))
    return signedCalls(plain, memory, quirks.like ?? model, quirks.signsCalls);
  for (const call of plain) delete call.extra_content;
  return plain;
}

function withoutMarker(value: object, quirks: Quirks): JsonObject {
  const { cache_control: marker, ...plain } = value as JsonObject;
  return marker !== undefined && quirks.keeps?.includes('cache_control')
    ? { ...plain, cache_control: marker }
    : plain;
}
