import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { argumentsObject, isObject, listOf, objectOf, parseExactJson, stringOf } from '../json.ts';

interface Content {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

/** Stands for a signature that is lost, so that Gemini 3 takes the call all the same. */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/**
 * A conversation as Gemini's contents: what is said to the model first apart, turns of one role together, results
 * under the names of the functions they came from.
 * @param strict whether the model refuses calls without their signatures
 * @throws ProxyError `invalid_request` naming the message at fault, or `unsupported`
 */
export function encodeContents(
  messages: readonly ChatMessage[],
  memory: ReplayMemory,
  strict: boolean,
): { system: JsonObject[]; contents: Content[] } {
  const system: JsonObject[] = [];
  const contents: Content[] = [];
  const names = new Map<string, string>();
  messages.forEach((message, index) => {
    const at = `messages[${index}]`;
    const { role } = message;
    if (role === 'system' || role === 'developer') system.push(...textParts(message, at));
    else if (role === 'user') add(contents, 'user', userParts(message.content, at));
    else if (role === 'assistant') {
      for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name);
      add(contents, 'model', modelParts(message, memory, strict, at));
    } else if (role === 'tool' || role === 'function') {
      add(contents, 'user', resultParts(message, names, at));
    } else throw invalid(at, `role "${String(role)}" is not known`);
  });
  return { system, contents };
}

function add(contents: Content[], role: Content['role'], parts: JsonObject[]): void {
  if (parts.length === 0) return;
  const last = contents.at(-1);
  // Results and words of one turn stay apart: the API wants as many results as there were calls.
  if (last?.role === role && isResult(last.parts[0]) === isResult(parts[0])) last.parts.push(...parts);
  else contents.push({ role, parts });
}

function isResult(part: JsonObject | undefined): boolean {
  return part?.functionResponse !== undefined;
}

function textParts({ content }: ChatMessage, at: string): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }];
  return listOf(content).map((part) => {
    const { text: said, refusal } = objectOf(part);
    const text = stringOf(said) ?? stringOf(refusal);
    if (text === undefined) throw invalid(at, 'only text parts are taken here');
    return { text };
  });
}

function userParts(content: ChatMessage['content'], at: string): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }];
  return (content ?? []).flatMap((part, index) => userPart(part, `${at}.content[${index}]`));
}

function userPart(part: ContentPart, at: string): JsonObject[] {
  if (part?.type === 'text') return part.text ? [{ text: part.text }] : [];
  if (part?.type === 'image_url') {
    const url = typeof part.image_url === 'string' ? part.image_url : part.image_url?.url;
    return [dataPart(url, 'image/jpeg', at)];
  }
  if (part?.type === 'input_audio') {
    const { data, format } = objectOf(part.input_audio);
    return [{ inlineData: { mimeType: `audio/${stringOf(format) ?? 'wav'}`, data } }];
  }
  if (part?.type === 'file' && part.file?.file_data !== undefined) {
    return [dataPart(part.file.file_data, 'application/pdf', at)];
  }
  throw new ProxyError('unsupported', `Cannot translate ${at} for Gemini: it has no such part`, {
    param: at,
  });
}

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  pdf: 'application/pdf',
  mp4: 'video/mp4',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  txt: 'text/plain',
};

/** Data as it stands, or where it lies: what an address holds is known by its ending alone. */
function dataPart(url: unknown, otherwise: string, at: string): JsonObject {
  if (typeof url === 'string') {
    const data = /^data:([^;,]+);base64,(.*)$/s.exec(url);
    if (data) return { inlineData: { mimeType: data[1], data: data[2] } };
    if (/^(?:https?|gs):\/\//.test(url)) {
      const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? '';
      return { fileData: { mimeType: TYPES[ending] ?? otherwise, fileUri: url } };
    }
  }
  throw invalid(at, 'expected an http(s) URL or base64 data: URI');
}

function modelParts(message: ChatMessage, memory: ReplayMemory, strict: boolean, at: string): JsonObject[] {
  const signature = signatureOf(message);
  const said = textParts({ ...message, content: message.content ?? '' }, at);
  const words = message.refusal ? [...said, { text: message.refusal }] : said;
  const last = words.at(-1);
  if (last && signature !== undefined) last.thoughtSignature = signature;
  const calls = (message.tool_calls ?? []).map((call, index) =>
    callPart(call, memory, strict && index === 0, `${at}.tool_calls[${index}]`),
  );
  return [...words, ...calls];
}

/** Google's own place for it in OpenAI's shape. */
export function signatureOf(value: object): string | undefined {
  const extra = objectOf((value as JsonObject).extra_content);
  return stringOf(objectOf(extra.google).thought_signature);
}

function callPart(call: ToolCall, memory: ReplayMemory, needed: boolean, at: string): JsonObject {
  const args = argumentsObject(call.function?.arguments);
  if (!args) throw invalid(at, 'function.arguments is not a JSON object');
  const known = signatureOf(call) ?? signatureOf(memory.get(call.id) ?? {});
  const signature = known ?? (needed ? NO_SIGNATURE : undefined);
  return {
    functionCall: { name: call.function.name, args },
    ...(signature === undefined ? {} : { thoughtSignature: signature }),
  };
}

function resultParts(message: ChatMessage, names: ReadonlyMap<string, string>, at: string): JsonObject[] {
  const id = message.tool_call_id;
  const name = names.get(id ?? '') ?? message.name;
  if (name === undefined) throw invalid(at, 'tool_call_id names no call before it');
  const parts = Array.isArray(message.content) ? message.content : [];
  const text =
    typeof message.content === 'string'
      ? message.content
      : parts.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
  const value = parseExactJson(text);
  const response = isObject(value)
    ? value
    : { [message.is_error === true ? 'error' : 'result']: value ?? text };
  const others = parts.filter(({ type }) => type !== 'text').flatMap((part) => userPart(part, at));
  return [{ functionResponse: { name, response } }, ...others];
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for Gemini: ${state}`, { param });
}
