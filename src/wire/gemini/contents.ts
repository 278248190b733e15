import type { ChatMessage, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { GeminiModel } from './models.ts';
import type { EarlierCall } from './results.ts';
import type { ImagePart, TextPart } from '../parts/part.ts';
import { argumentsIn, isObject } from '../json.ts';
import { partsOf } from '../parts/message.ts';
import { NO_SIGNATURE, signatureIn } from '../parts/issued.ts';
import { invalid, textParts, unsupported, userParts } from './parts.ts';
import { Results } from './results.ts';
import { named } from '../words.ts';

interface Content {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

/**
 * Encodes a conversation as Gemini's contents: the system prompt separately, consecutive turns of one role combined,
 * all results of a turn in one content.
 * @throws ProxyError `invalid_request` naming the invalid message, or `unsupported`
 */
export function encodeContents(
  messages: readonly ChatMessage[],
  memory: ReplayMemory,
  model: GeminiModel,
): { system: JsonObject[]; contents: Content[] } {
  const system: JsonObject[] = [];
  const contents: Content[] = [];
  const made = new Map<string, EarlierCall>();
  const results = new Results(model);
  const addResults = () => {
    const { parts, media } = results.take();
    // The API requires as many parts as there were calls, so results stay alone.
    if (parts.length > 0) contents.push({ role: 'user', parts });
    if (media.length > 0) contents.push({ role: 'user', parts: media });
  };
  messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'it is not an object');
    const { role } = message;
    if (role === 'system' || role === 'developer') system.push(...textParts(message, at));
    else if (role === 'tool' || role === 'function') results.push(message, made, at);
    else if (role === 'user') {
      addResults();
      add(contents, 'user', userParts(message, at));
    } else if (role === 'assistant') {
      addResults();
      add(contents, 'model', modelParts(message, made, { memory, model, at }));
    } else throw invalid(at, `role ${named(role)} is not known`);
  });
  addResults();
  return { system, contents };
}

function add(contents: Content[], role: Content['role'], parts: JsonObject[]): void {
  if (parts.length === 0) return;
  const last = contents.at(-1);
  if (last?.role === role && last.parts[0]?.functionResponse === undefined) last.parts.push(...parts);
  else contents.push({ role, parts });
}

interface Turn {
  readonly memory: ReplayMemory;
  readonly model: GeminiModel;
  readonly at: string;
}

function modelParts(message: ChatMessage, made: Map<string, EarlierCall>, turn: Turn): JsonObject[] {
  let place = 0;
  return partsOf(message).flatMap((part): JsonObject[] => {
    switch (part.type) {
      case 'text':
        return saidPart(part);
      case 'refusal':
        return [{ text: part.text }];
      case 'image':
        return picturePart(part, turn.at);
      case 'call': {
        const here = `${turn.at}.tool_calls[${place}]`;
        // Parallel calls have one signature, on the first.
        const encoded = callPart(part.call, { ...turn, at: here }, place === 0);
        made.set(part.call.id, { name: part.call.function.name, place });
        place += 1;
        return [encoded];
      }
      default:
        return [];
    }
  });
}

function saidPart({ text, extra_content: extra }: TextPart): JsonObject[] {
  const signature = signatureIn(extra);
  if (text === '') return [];
  return [{ text, ...(signature === undefined ? {} : { thoughtSignature: signature }) }];
}

/** An image that a model generated, which it may be asked to edit. */
function picturePart({ url, extra_content: extra }: ImagePart, at: string): JsonObject[] {
  const signature = signatureIn(extra);
  const [part] = userParts({ role: 'assistant', content: [{ type: 'image_url', image_url: { url } }] }, at);
  return part ? [{ ...part, ...(signature === undefined ? {} : { thoughtSignature: signature }) }] : [];
}

function callPart(call: ToolCall, { memory, model, at }: Turn, first: boolean): JsonObject {
  const { id, type, function: fn } = call;
  if (!isObject(fn)) throw unsupported(at, `it has no calls of type ${named(type)}`);
  const { name, arguments: text } = fn as ToolCall['function'];
  if (typeof name !== 'string') throw invalid(at, 'function.name is missing');
  const args = argumentsIn(text);
  const known = signatureIn(call.extra_content) ?? signatureIn(memory.get(id)?.extra_content);
  const signature = known ?? (first && model.signsCalls ? NO_SIGNATURE : undefined);
  return {
    functionCall: { ...(model.pairsById && id ? { id } : {}), name, args },
    ...(signature === undefined ? {} : { thoughtSignature: signature }),
  };
}
