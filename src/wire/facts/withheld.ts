/** Removes from a request what its target does not support, and names it. */
import type { Abilities, Ability } from './abilities.ts';
import type { JsonObject } from '../json.ts';
import type { RequestShape, Shape } from './shapes.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { asksForMore } from './asked.ts';
import { withPlainFormat } from './plain-format.ts';
import { valueAt, withoutAt } from './paths.ts';
import { SHAPES } from './shapes.ts';

export interface Withheld {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

const MEDIA = ['vision', 'audio', 'files'] as const;

/** Placeholders for what is left out. */
const LEFT_OUT = { vision: 'image', audio: 'audio', files: 'file' } as const;

/** A request without what its target does not support. The same object if nothing is removed. */
export function withheld(request: JsonObject, shape: Shape, known: Abilities): Withheld {
  if (!Object.values(known).includes(false)) return { body: request, dropped: [] };
  const { fields, ...where } = SHAPES[shape];
  const isCrowded = known.json_with_tools === false && listOf(request.tools).length > 0;
  const abilities = isCrowded ? { ...known, json_schema: false, json_object: false } : known;
  const dropped: string[] = [];
  let body = request;
  for (const [ability, places] of Object.entries(fields)) {
    if (abilities[ability as Ability] !== false) continue;
    for (const place of places) {
      const without = withoutAt(body, place);
      if (without !== body && asksForMore(place, valueAt(request, place))) dropped.push(place);
      body = without;
    }
  }
  body = withoutMedia(body, where, abilities, dropped);
  if (abilities.tools === false && shape === 'chat') body = withCallsAsText(body);
  if (abilities.hosted_tools === false && (shape === 'messages' || shape === 'responses'))
    body = withoutHosted(body, dropped);
  if (abilities.system === false) body = withSystemAsUser(body, shape);
  if (abilities.json_schema === false || abilities.json_object === false) {
    body = withPlainFormat(body, shape, abilities, dropped);
  }
  return { body, dropped };
}

/** Images, audio and files are replaced by notes that they are missing. */
function withoutMedia(
  body: JsonObject,
  { conversation, parts, medium, text }: Omit<RequestShape, 'fields'>,
  abilities: Abilities,
  dropped: string[],
): JsonObject {
  if (!MEDIA.some((ability) => abilities[ability] === false)) return body;
  const given = body[conversation];
  if (!Array.isArray(given)) return body;
  const asText = (part: JsonObject): JsonObject => {
    const ability = medium(part);
    if (ability === undefined || abilities[ability] !== false) return inner(part);
    const what = LEFT_OUT[ability];
    if (!dropped.includes(what)) dropped.push(what);
    return text(`[${what} left out: the model does not accept it]`);
  };
  const inner = (owner: JsonObject): JsonObject => {
    let changed = owner;
    for (const name of parts) {
      const list = owner[name];
      if (!Array.isArray(list)) continue;
      const kept = list.map((part) => (isObject(part) ? asText(part) : part));
      if (kept.some((part, at) => part !== list[at])) changed = { ...changed, [name]: kept };
    }
    return changed;
  };
  const members = given.map((member) => (isObject(member) ? inner(member) : member));
  return members.every((member, at) => member === given[at]) ? body : { ...body, [conversation]: members };
}

/** Earlier calls and their results as text, for models without tools. */
function withCallsAsText(body: JsonObject): JsonObject {
  if (!Array.isArray(body.messages)) return body;
  const messages = (body.messages as unknown[]).map((message) => {
    if (!isObject(message)) return message;
    if (message.role === 'tool' || message.role === 'function') {
      const { tool_call_id: _, name: _name, ...rest } = message;
      return { ...rest, role: 'user' };
    }
    const calls = listOf(message.tool_calls);
    if (calls.length === 0) return message;
    const { tool_calls: _, parts: _parts, ...rest } = message;
    const words = calls.map((call) => {
      const { name, arguments: given } = objectOf(objectOf(call).function);
      return `[called ${stringOf(name) ?? ''} with ${stringOf(given) ?? '{}'}]`;
    });
    const texts = typeof message.content === 'string' && message.content !== '' ? [message.content] : [];
    return { ...rest, content: [...texts, ...words].join('\n') };
  });
  return messages.every((message, at) => message === listOf(body.messages)[at])
    ? body
    : { ...body, messages };
}

const OWN_TOOLS: ReadonlySet<unknown> = new Set([undefined, 'function', 'custom', 'namespace']);

function withoutHosted(body: JsonObject, dropped: string[]): JsonObject {
  const tools = listOf(body.tools);
  const kept = tools.filter((tool) => OWN_TOOLS.has(objectOf(tool).type));
  if (kept.length === tools.length) return body;
  for (const tool of tools) if (!kept.includes(tool)) dropped.push(String(objectOf(tool).type));
  const { tools: _, tool_choice: choice, ...rest } = body;
  return {
    ...rest,
    ...(kept.length > 0 ? { tools: kept, ...(choice === undefined ? {} : { tool_choice: choice }) } : {}),
  };
}

/** System messages as user messages, for targets without system messages. */
function withSystemAsUser(body: JsonObject, shape: Shape): JsonObject {
  if (shape === 'chat') {
    const messages = listOf(body.messages).map((message) => {
      const { role } = objectOf(message);
      return role === 'system' || role === 'developer' ? { ...objectOf(message), role: 'user' } : message;
    });
    return Array.isArray(body.messages) ? { ...body, messages } : body;
  }
  if (shape === 'gemini') return withGoogleSystemAsUser(body);
  const field = shape === 'messages' ? 'system' : 'instructions';
  const { [field]: instructions, ...rest } = body;
  if (instructions === undefined || instructions === null) return body;
  const { conversation } = SHAPES[shape];
  const given = body[conversation];
  const turns = typeof given === 'string' ? [{ role: 'user', content: given }] : listOf(given);
  return { ...rest, [conversation]: [{ role: 'user', content: instructions }, ...turns] };
}

function withGoogleSystemAsUser(body: JsonObject): JsonObject {
  const { systemInstruction, system_instruction, ...rest } = body;
  const instructions = systemInstruction ?? system_instruction;
  if (!isObject(instructions)) return body;
  return { ...rest, contents: [{ ...instructions, role: 'user' }, ...listOf(body.contents)] };
}
