import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { isObject } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { messageOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { named } from '../words.ts';
import { extraOf, wholePart } from './answer-parts.ts';
import { CallPairs } from '../parts/call-pairs.ts';
import { fieldOf, nameIn, objectIn, objectsIn, textIn, unknownIn, wrong } from './client-check.ts';
import { decodeUserPart } from './client-parts.ts';
import { decodeResult } from './client-results.ts';
import { sealsIn } from './client-seals.ts';

/** Parts of earlier answers whose names are reported if they cannot be sent back. */
const SAID: ReadonlySet<string> = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'functionCall',
  'inlineData',
  'fileData',
  'executableCode',
  'codeExecutionResult',
]);

const CALLED: ReadonlySet<string> = new Set(['id', 'name', 'args']);

/**
 * Decodes Gemini's `systemInstruction` and `contents` to OpenAI's messages.
 * @param dropped collects the names of parts without a counterpart
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeContents(body: JsonObject, dropped: Set<string>): ChatMessage[] {
  const contents = objectsIn(body, 'contents', '');
  if (contents.length === 0) throw wrong('contents', 'at least one content is required');
  const messages = systemMessages(fieldOf(body, 'systemInstruction'), dropped);
  const calls = new CallPairs();
  let before = '';
  contents.forEach((content, index) => {
    const at = `contents[${index}]`;
    const parts = objectsIn(content, 'parts', at);
    if (parts.length === 0) throw wrong(`${at}.parts`, 'at least one part is required');
    const role = textIn(content, 'role', at) || 'user';
    // Clients may keep each piece of a stream as a content.
    if (role === 'model' && before !== 'model') calls.turn();
    before = role;
    if (role === 'model') messages.push(...modelMessage(parts, at, calls, dropped));
    else if (role === 'user' || role === 'function')
      messages.push(...userMessages(parts, at, calls, dropped));
    else throw wrong(`${at}.role`, `expected "user" or "model", and not ${named(role)}`);
  });
  return messages;
}

/** To the API it is one content; but some clients send a bare text, or a list. */
function systemMessages(instruction: unknown, dropped: Set<string>): ChatMessage[] {
  if (instruction === undefined || instruction === '') return [];
  const texts = instructionsIn(instruction, 'systemInstruction', dropped);
  if (texts.length === 0) return [];
  const content = texts.length === 1 ? texts[0]! : texts.map((text) => ({ type: 'text', text }));
  return [{ role: 'system', content }];
}

/** The texts of a content, of a part, or of a list of these and of bare texts. */
function instructionsIn(given: unknown, at: string, dropped: Set<string>): string[] {
  if (typeof given === 'string') return given === '' ? [] : [given];
  if (Array.isArray(given))
    return given.flatMap((each: unknown, index) => instructionsIn(each, `${at}[${index}]`, dropped));
  if (!isObject(given)) throw wrong(at, 'expected an object');
  const parts = fieldOf(given, 'parts');
  if (parts !== undefined)
    return objectsIn(given, 'parts', at).flatMap((part, index) =>
      instructionsIn(part, `${at}.parts[${index}]`, dropped),
    );
  const text = textIn(given, 'text', at);
  if (text === undefined)
    for (const name of Object.keys(given)) if (name !== 'role') dropped.add(`systemInstruction.${name}`);
  return text ? [text] : [];
}

/** Function results come first, each as a message of its own, then the rest of the user's content. */
function userMessages(
  parts: readonly JsonObject[],
  at: string,
  calls: CallPairs,
  dropped: Set<string>,
): ChatMessage[] {
  const results: ChatMessage[] = [];
  const userParts: ContentPart[] = [];
  let hasContent = false;
  parts.forEach((part, index) => {
    const here = `${at}.parts[${index}]`;
    const result = objectIn(part, 'functionResponse', here);
    if (result) return results.push(decodeResult(result, `${here}.functionResponse`, calls, dropped));
    if (fieldOf(part, 'functionCall') !== undefined) throw wrong(here, 'only the model calls functions');
    hasContent = true;
    return userParts.push(...decodeUserPart(part, here, dropped));
  });
  return hasContent ? [...results, { role: 'user', content: simplest(userParts) }] : results;
}

/** A single plain text as a string, which every server accepts. */
function simplest(parts: ContentPart[]): string | ContentPart[] {
  if (parts.length === 0) return '';
  const [only, second] = parts;
  return only?.type === 'text' && !second ? (only.text ?? '') : parts;
}

function modelMessage(
  parts: readonly JsonObject[],
  at: string,
  calls: CallPairs,
  dropped: Set<string>,
): ChatMessage[] {
  const list = new PartList();
  const results: ChatMessage[] = [];
  parts.forEach((part, index) => {
    const here = `${at}.parts[${index}]`;
    const result = objectIn(part, 'functionResponse', here);
    if (result) return results.push(decodeResult(result, `${here}.functionResponse`, calls, dropped));
    for (const name of unknownIn(part, SAID)) dropped.add(`parts.${name}`);
    return readAnswerPart(part, list, here, { calls, dropped });
  });
  return list.parts.length > 0 ? [messageOf(list.parts), ...results] : results;
}

interface Reading {
  readonly calls: CallPairs;
  readonly dropped: Set<string>;
}

/** A part of an earlier answer. */
function readAnswerPart(part: JsonObject, list: PartList, at: string, { calls, dropped }: Reading): void {
  const signature = textIn(part, 'thoughtSignature', at);
  const text = textIn(part, 'text', at);
  if (text !== undefined && fieldOf(part, 'thought') === true) list.thinking(text);
  const seals = signature ? sealsIn(signature) : undefined;
  for (const seal of seals ?? []) sealThinking(list, seal);
  const extra = signature && !seals ? extraOf(signature) : undefined;
  if (text !== undefined) {
    if (fieldOf(part, 'thought') === true) return;
    list.text(text);
    if (extra) list.accompany(extra);
    return;
  }
  const call = objectIn(part, 'functionCall', at);
  if (call) {
    const here = `${at}.functionCall`;
    for (const field of unknownIn(call, CALLED)) dropped.add(`functionCall.${field}`);
    const name = nameIn(call, 'name', here);
    const args = objectIn(call, 'args', here) ?? {};
    const id = calls.called(textIn(call, 'id', here), name);
    const more = extra ? { extra_content: extra } : {};
    list.call({ id, type: 'function', function: { name, arguments: jsonTextOf(args) }, ...more });
    return;
  }
  for (const whole of wholePart(spelled(part, at), { created: 0, newId: () => calls.next() }))
    list.add(whole);
}

/** The signature of the preceding thinking, or of one that the client was not shown. */
function sealThinking(list: PartList, seal: Seal): void {
  const last = list.parts.at(-1);
  const own = typeof seal.thinking === 'string' ? seal.thinking : undefined;
  // If the client changed the text, the signature no longer applies.
  if (own !== undefined && last?.type === 'thinking' && last.seal === undefined) last.text = own;
  list.seal(seal);
}

/** A part that is neither text nor a call, in the spelling of the reference. */
function spelled(part: JsonObject, at: string): JsonObject {
  const data = objectIn(part, 'inlineData', at);
  const file = objectIn(part, 'fileData', at);
  return {
    inlineData: data && { mimeType: fieldOf(data, 'mimeType'), data: fieldOf(data, 'data') },
    fileData: file && { mimeType: fieldOf(file, 'mimeType'), fileUri: fieldOf(file, 'fileUri') },
    executableCode: objectIn(part, 'executableCode', at),
    codeExecutionResult: objectIn(part, 'codeExecutionResult', at),
    thoughtSignature: fieldOf(part, 'thoughtSignature'),
  };
}
