import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, listOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

/** What Gemini is asked. Calls and results without an id are matched by name and order. */
export function geminiAsking(body: Json): Asking {
  const items: Item[] = [];
  const waiting: { id: string; name: string }[] = [];
  for (const { role, parts } of objectsOf(body.contents)) {
    for (const part of objectsOf(parts)) items.push(...itemOf(part, roleOf(role), waiting, items.length));
  }
  const tools = objectsOf(body.tools);
  const config = objectOf(body.generationConfig);
  const { mode, allowedFunctionNames: allowed } = objectOf(objectOf(body.toolConfig).functionCallingConfig);
  const { responseMimeType: mime, responseJsonSchema, responseSchema } = config;
  return {
    system: objectsOf(objectOf(body.systemInstruction).parts)
      .map(({ text }) => String(text))
      .join('\n'),
    items,
    tools: tools
      .flatMap(({ functionDeclarations: list }) => objectsOf(list))
      .map(({ name, description, parameters, parametersJsonSchema }) => ({
        name: String(name),
        description: stringOf(description) ?? '',
        properties: propertiesOf(parameters ?? parametersJsonSchema),
      })),
    hosted: tools.flatMap((tool) => Object.keys(tool).filter((key) => key !== 'functionDeclarations')),
    choice: choiceOf(mode, listOf(allowed)),
    parameters: given({
      max: config.maxOutputTokens,
      temperature: config.temperature,
      topP: config.topP,
      topK: config.topK,
      stop: config.stopSequences,
      seed: config.seed,
      presence: config.presencePenalty,
      frequency: config.frequencyPenalty,
      n: config.candidateCount,
      logprobs: config.responseLogprobs,
      topLogprobs: config.logprobs,
      effort: config.thinkingConfig,
      modalities: lowerCased(config.responseModalities),
      format:
        mime === 'application/json' ? (responseJsonSchema ?? responseSchema ?? 'json_object') : undefined,
    }),
  };
}

/** OpenAI writes them small. */
function lowerCased(names: unknown): unknown {
  return Array.isArray(names) ? names.map((name) => String(name).toLowerCase()) : undefined;
}

function roleOf(role: unknown): Role {
  if (role !== 'user' && role !== 'model') return unknownKind('Gemini', role);
  return role === 'model' ? 'assistant' : 'user';
}

function itemOf(part: Json, role: Role, waiting: { id: string; name: string }[], at: number): Item[] {
  const { functionCall: call, functionResponse: response, inlineData, fileData } = part;
  if (isObject(call)) {
    const id = stringOf(call.id) ?? `#${at}`;
    const name = String(call.name);
    waiting.push({ id, name });
    return [{ kind: 'call', id, name, input: written(call.args ?? {}) }];
  }
  if (isObject(response)) {
    const place = waiting.findIndex(({ id, name }) =>
      response.id === undefined ? name === response.name : id === response.id,
    );
    const [found] = place < 0 ? [] : waiting.splice(place, 1);
    const value = objectOf(response.response);
    const [[key, only] = [], ...more] = Object.entries(value);
    const inner = more.length === 0 && (key === 'result' || key === 'error') ? only : value;
    const text = typeof inner === 'string' ? inner : written(inner);
    const media = objectsOf(response.parts).map((each) => objectOf(each.inlineData).data);
    return [
      { kind: 'result', id: found?.id ?? 'none', text, failed: key === 'error' },
      ...media.map((data): Item => ({ kind: 'image', role: 'tool', data: String(data) })),
    ];
  }
  if (isObject(inlineData) || isObject(fileData)) {
    const { mimeType, data, fileUri } = { ...objectOf(inlineData), ...objectOf(fileData) } as Json;
    const type = String(mimeType);
    const kind = type.startsWith('audio/') ? 'audio' : type.startsWith('image/') ? 'image' : 'file';
    return [{ kind, role, data: String(data ?? fileUri) }];
  }
  if (part.thought === true) return [];
  if (typeof part.text === 'string') return [{ kind: 'text', role, text: part.text }];
  return unknownKind('Gemini', Object.keys(part));
}

function choiceOf(mode: unknown, allowed: readonly unknown[]): string | undefined {
  if (mode === 'ANY') return allowed.length === 1 ? String(allowed[0]) : 'required';
  return stringOf(mode)?.toLowerCase();
}
