import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, listOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';
import { jsonSchema } from './gemini-schema.ts';

/** A field in either of its two spellings: Google accepts both in the JSON of protocol buffers. */
export function field(object: unknown, name: string): unknown {
  const fields = objectOf(object);
  return fields[name] ?? fields[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** The name of a field as spelled in the reference. */
export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads a request of Gemini's API. Calls and results without an id are matched by name and order. */
export function geminiAsking(asked: Json): Asking {
  // To count tokens, a complete request may be nested in another.
  const body = { ...asked, ...objectOf(field(asked, 'generateContentRequest')) } as Json;
  const items: Item[] = [];
  const waiting: Waiting[] = [];
  const contents = isObject(body.contents) ? [body.contents] : objectsOf(body.contents);
  for (const { role, parts } of contents) {
    const list = isObject(parts) ? [parts] : objectsOf(parts);
    for (const part of list) items.push(...itemsOf(part, roleOf(role), waiting, items.length));
  }
  const tools = isObject(body.tools) ? [body.tools] : objectsOf(body.tools);
  const config = field(body, 'generationConfig');
  const calling = field(field(body, 'toolConfig'), 'functionCallingConfig');
  const allowed = listOf(field(calling, 'allowedFunctionNames'));
  const declared = tools.flatMap((tool) => objectsOf(field(tool, 'functionDeclarations')));
  // If several functions may be called, the others are not offered.
  const offered = allowed.length > 1 ? declared.filter(({ name }) => allowed.includes(name)) : declared;
  return {
    system: wordsOf(field(body, 'systemInstruction')).join('\n'),
    items,
    tools: offered.map((declaration) => ({
      name: String(declaration.name),
      description: stringOf(declaration.description) ?? '',
      properties: propertiesOf(field(declaration, 'parametersJsonSchema') ?? declaration.parameters),
    })),
    hosted: tools.flatMap((tool) =>
      Object.keys(tool)
        .map(camelCase)
        .filter((key) => key !== 'functionDeclarations'),
    ),
    choice: choiceOf(stringOf(objectOf(calling).mode), allowed),
    parameters: given({
      max: field(config, 'maxOutputTokens'),
      temperature: field(config, 'temperature'),
      topP: field(config, 'topP'),
      topK: field(config, 'topK'),
      stop: field(config, 'stopSequences'),
      seed: field(config, 'seed'),
      presence: field(config, 'presencePenalty'),
      frequency: field(config, 'frequencyPenalty'),
      n: field(config, 'candidateCount'),
      logprobs: field(config, 'responseLogprobs'),
      topLogprobs: field(config, 'logprobs'),
      effort: effortOf(field(config, 'thinkingConfig')),
      modalities: lowerCased(field(config, 'responseModalities')),
      format: formatOf(config),
      tier: body.serviceTier ?? body.service_tier,
    }),
  };
}

/** The text of a string, a part, a content, or a list of them. */
function wordsOf(instruction: unknown): string[] {
  if (typeof instruction === 'string') return [instruction];
  if (Array.isArray(instruction)) return instruction.flatMap(wordsOf);
  const { text, parts } = objectOf(instruction);
  return typeof text === 'string' ? [text] : parts === undefined ? [] : wordsOf(parts);
}

/** Whether thoughts are shown does not affect how much the model thinks. */
function effortOf(thinking: unknown): string | undefined {
  const level = stringOf(field(thinking, 'thinkingLevel'));
  const budget = field(thinking, 'thinkingBudget');
  if (level !== undefined) return level.toLowerCase();
  if (budget === undefined || budget === null) return undefined;
  if (budget === 0) return 'none';
  if (budget === -1) return 'adaptive';
  // Less than the minimum of other vendors.
  return Number(budget) < 1_024 ? 'minimal' : 'some';
}

function formatOf(config: unknown): unknown {
  if (stringOf(field(config, 'responseMimeType'))?.toLowerCase() !== 'application/json') return undefined;
  const own = field(config, 'responseSchema');
  return field(config, 'responseJsonSchema') ?? (own === undefined ? 'json_object' : jsonSchema(own));
}

/** OpenAI writes them in lower case. */
function lowerCased(names: unknown): unknown {
  return Array.isArray(names) ? names.map((name) => String(name).toLowerCase()) : undefined;
}

function roleOf(role: unknown): Role {
  if (role === undefined || role === 'function') return 'user';
  if (role !== 'user' && role !== 'model') return unknownKind('Gemini', role);
  return role === 'model' ? 'assistant' : 'user';
}

/** A call without a result so far. */
interface Waiting {
  readonly id: string;
  readonly name: string;
}

/** Tools that the provider ran by itself, and their results. */
const RAN = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'] as const;

function itemsOf(part: Json, role: Role, waiting: Waiting[], at: number): Item[] {
  const call = field(part, 'functionCall');
  if (isObject(call)) {
    const id = stringOf(call.id) ?? `#${at}`;
    const name = String(call.name);
    waiting.push({ id, name });
    return [{ kind: 'call', id, name, input: written(call.args ?? {}) }];
  }
  const response = field(part, 'functionResponse');
  if (isObject(response)) return resultOf(response, waiting);
  const medium = mediumOf(part, role);
  if (medium) return [medium];
  if (part.thought === true) return [];
  if (typeof part.text === 'string') return [{ kind: 'text', role, text: part.text }];
  const ran = RAN.find((name) => field(part, name) !== undefined);
  return ran === undefined ? unknownKind('Gemini', Object.keys(part)) : [{ kind: 'ran', name: ran }];
}

/** Keys under which a text is the complete result. */
const WRAPS = new Set(['output', 'content']);

function resultOf(response: Json, waiting: Waiting[]): Item[] {
  const place = waiting.findIndex(({ id, name }) =>
    response.id === undefined ? name === response.name : id === response.id,
  );
  const [found] = place < 0 ? [] : waiting.splice(place, 1);
  const value = objectOf(response.response);
  // Vercel's library repeats the name of the function there.
  const told = Object.entries(value).filter(([key, each]) => key !== 'name' || each !== response.name);
  const [[key, only] = [], ...more] = told;
  const isNamed = value.name !== undefined && value.name === response.name;
  const isWrapped =
    key === 'result' || key === 'error' || (WRAPS.has(String(key)) && (isNamed || typeof only === 'string'));
  const inner = more.length === 0 && isWrapped ? only : value;
  const text = typeof inner === 'string' ? inner : written(inner);
  return [
    { kind: 'result', id: found?.id ?? 'none', text, failed: more.length === 0 && key === 'error' },
    ...objectsOf(response.parts).map((each) => mediumOf(each, 'tool') ?? unknownKind('Gemini', each)),
  ];
}

/** Data in either base64 alphabet, or a reference to it. */
function mediumOf(part: Json, role: Role | 'tool'): Item | undefined {
  const held = field(part, 'inlineData') ?? field(part, 'fileData');
  if (!isObject(held)) return undefined;
  const type = String(field(held, 'mimeType')).split('/')[0]!;
  const kind = type === 'audio' || type === 'image' || type === 'video' ? type : 'file';
  const { data } = held;
  return { kind, role, data: typeof data === 'string' ? plainBase64(data) : String(field(held, 'fileUri')) };
}

function plainBase64(data: string): string {
  const plain = data.replaceAll('-', '+').replaceAll('_', '/').replaceAll('=', '');
  return plain.padEnd(Math.ceil(plain.length / 4) * 4, '=');
}

/** In VALIDATED mode, the model may decide whether to call, as in AUTO. */
function choiceOf(mode: string | undefined, allowed: readonly unknown[]): string | undefined {
  if (mode === undefined) return undefined;
  if (mode?.toUpperCase() === 'ANY') return allowed.length === 1 ? String(allowed[0]) : 'required';
  return mode.toUpperCase() === 'NONE' ? 'none' : 'auto';
}
