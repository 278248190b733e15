/** Checks rows for the tuning of Gemini, according to its documentation. */
import type { JsonObject } from '../../wire/json.ts';
import type { Problems } from './problems.ts';
import { isObject, listOf } from '../../wire/json.ts';
import { numberText } from '../../wire/long-numbers.ts';
import { functionsProblems, GEMINI_FUNCTIONS, nameProblems } from './function-rules.ts';
import { at, objectsIn, textProblems, unknownKeys } from './problems.ts';

/** The largest number of images per example. @see https://cloud.google.com/vertex-ai/generative-ai/docs/models/tune_gemini/image_tune */
export const MAX_IMAGES = 30;
export const MIME_TYPES: ReadonlySet<unknown> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/heic',
  'image/heif',
]);

const KEYS = ['systemInstruction', 'system_instruction', 'contents', 'tools', 'generationConfig'];
const PARTS = ['text', 'fileData', 'functionCall', 'functionResponse'];
/** Media other than images are accepted as well. */
const MEDIA = /^(?:audio|video)\/|^application\/pdf$|^text\/plain$/;

export function geminiProblems(row: JsonObject): Problems {
  const problems = unknownKeys(row, KEYS, '');
  for (const key of ['systemInstruction', 'system_instruction'])
    if (key in row) problems.push(...systemProblems(row[key], key));
  const { items, problems: found } = objectsIn(row.contents, 'contents');
  problems.push(
    ...found,
    ...items.flatMap((content, index) => contentProblems(content, `contents[${index}]`)),
  );
  problems.push(...orderProblems(items), ...resultProblems(items), ...imageProblems(items));
  if ('tools' in row) problems.push(...toolsProblems(row.tools));
  return problems;
}

function systemProblems(value: unknown, path: string): Problems {
  if (!isObject(value)) return [`${path}: expected an object`];
  const { items, problems } = objectsIn(value.parts, `${path}.parts`);
  for (const [index, part] of items.entries()) {
    const place = `${path}.parts[${index}]`;
    problems.push(...unknownKeys(part, ['text'], place), ...textProblems(part.text, `${place}.text`));
  }
  if (typeof (value.role ?? '') !== 'string') problems.push(`${path}.role: expected a text`);
  return [...unknownKeys(value, ['role', 'parts'], path), ...problems];
}

function contentProblems(content: JsonObject, path: string): Problems {
  const { items, problems } = objectsIn(content.parts, `${path}.parts`);
  const role = roleOf(content);
  const found = items.flatMap((part, index) => partProblems(part, `${path}.parts[${index}]`, role));
  return [...unknownKeys(content, ['role', 'parts'], path), ...problems, ...found];
}

function partProblems(part: JsonObject, path: string, role: unknown): Problems {
  const problems = unknownKeys(part, PARTS, path);
  const kinds = PARTS.filter((kind) => kind in part);
  if (kinds.length !== 1) return [...problems, `${path}: expected one of ${PARTS.join(', ')}`];
  const { text, fileData: file, functionCall: call, functionResponse: response } = part;
  if ('text' in part) problems.push(...textProblems(text, `${path}.text`));
  if ('fileData' in part) problems.push(...fileDataProblems(file, `${path}.fileData`));
  if ('fileData' in part && role === 'model')
    problems.push(`${path}.fileData: the model gives texts and calls`);
  if ('functionCall' in part) problems.push(...callProblems(call, `${path}.functionCall`));
  if ('functionCall' in part && role !== 'model') problems.push(`${path}.functionCall: only the model calls`);
  if ('functionResponse' in part) problems.push(...responseProblems(response, `${path}.functionResponse`));
  if ('functionResponse' in part && role === 'model')
    problems.push(`${path}.functionResponse: the model gives no results`);
  return problems;
}

function callProblems(call: unknown, path: string): Problems {
  if (!isObject(call) || !isName(call.name) || !isObject(call.args ?? {}))
    return [`${path}: expected a name, and an object as args`];
  return [
    ...unknownKeys(call, ['id', 'name', 'args'], path),
    ...idProblems(call, path),
    ...nameProblems(call.name, `${path}.name`, GEMINI_FUNCTIONS),
  ];
}

function responseProblems(response: unknown, path: string): Problems {
  if (!isObject(response) || !isName(response.name) || !isObject(response.response))
    return [`${path}: expected a name, and an object as response`];
  return [...unknownKeys(response, ['id', 'name', 'response'], path), ...idProblems(response, path)];
}

function idProblems({ id }: JsonObject, path: string): Problems {
  return typeof (id ?? '') === 'string' ? [] : [`${path}.id: expected a text`];
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function fileDataProblems(file: unknown, path: string): Problems {
  if (!isObject(file)) return [`${path}: expected an object`];
  const { mimeType: type, fileUri: uri } = file;
  const problems = unknownKeys(file, ['mimeType', 'fileUri'], path);
  if (!MIME_TYPES.has(type) && !(typeof type === 'string' && MEDIA.test(type)))
    problems.push(`${path}.mimeType: expected a type that Gemini reads, found ${JSON.stringify(type)}`);
  if (typeof uri !== 'string' || !/^(?:gs|https?):\/\//i.test(uri))
    problems.push(`${path}.fileUri: expected a gs:// or http(s):// address`);
  return problems;
}

/** Results may have no role, or their former one. */
function roleOf({ role, parts }: JsonObject): unknown {
  const results = listOf(parts).some(isResult);
  return results && (role === undefined || role === 'function') ? 'user' : role;
}

function orderProblems(contents: readonly JsonObject[]): Problems {
  const roles = contents.map(roleOf);
  const problems = roles.flatMap((role, index) => {
    const path = `contents[${index}].role`;
    if (role !== 'user' && role !== 'model') return [`${path}: expected user or model`];
    return role === roles[index - 1] ? [`${path}: the ${role} twice in a row`] : [];
  });
  if (roles.length > 0 && roles[0] !== 'user') problems.push('contents[0].role: the user must be first');
  if (roles.length > 0 && roles.at(-1) !== 'model')
    problems.push("contents: the last turn must be the model's");
  return problems;
}

/**
 * Results are matched by name and order: there must be as many as calls, of the same functions, and before everything
 * else that the user says.
 */
function resultProblems(contents: readonly JsonObject[]): Problems {
  return contents.flatMap(({ parts }, index) => {
    const called = namesIn(contents[index - 1]?.parts, 'functionCall');
    const given = namesIn(parts, 'functionResponse');
    const path = `contents[${index}].parts`;
    const late = listOf(parts).slice(given.length).some(isResult);
    if (late) return [`${path}: results come before what the user says`];
    return JSON.stringify(called) === JSON.stringify(given)
      ? []
      : [`${path}: expected the results of ${called.length} calls, found ${given.length}, or of others`];
  });
}

function isResult(part: unknown): boolean {
  return isObject(part) && 'functionResponse' in part;
}

function namesIn(parts: unknown, kind: 'functionCall' | 'functionResponse'): unknown[] {
  return listOf(parts).flatMap((part) => {
    const value = isObject(part) ? part[kind] : undefined;
    return isObject(value) ? [value.name] : [];
  });
}

function imageProblems(contents: readonly JsonObject[]): Problems {
  const images = contents
    .flatMap(({ parts }) => listOf(parts))
    .filter((part) => isObject(part) && isObject(part.fileData) && MIME_TYPES.has(part.fileData.mimeType));
  return images.length > MAX_IMAGES ? [`contents: more than ${MAX_IMAGES} images`] : [];
}

function toolsProblems(value: unknown): Problems {
  const { items, problems } = objectsIn(value, 'tools');
  const all: { readonly declared: JsonObject; readonly path: string }[] = [];
  for (const [index, tool] of items.entries()) {
    const path = `tools[${index}].functionDeclarations`;
    problems.push(...unknownKeys(tool, ['functionDeclarations'], `tools[${index}]`));
    const { items: functions, problems: found } = objectsIn(tool.functionDeclarations, path);
    problems.push(
      ...found,
      ...functions.flatMap((each, place) => functionProblems(each, `${path}[${place}]`)),
    );
    all.push(...functions.map((declared, place) => ({ declared, path: `${path}[${place}]` })));
  }
  const declared = all.map((each) => each.declared);
  return [...problems, ...functionsProblems(declared, (index) => all[index]!.path, GEMINI_FUNCTIONS)];
}

function functionProblems(declared: JsonObject, path: string): Problems {
  const { name, description, parameters, response } = declared;
  const problems = unknownKeys(declared, ['name', 'description', 'parameters', 'response'], path);
  if (!isName(name)) problems.push(`${path}.name: expected a text`);
  if (description !== undefined && typeof description !== 'string')
    problems.push(`${path}.description: expected a text`);
  if (parameters !== undefined) problems.push(...schemaProblems(parameters, `${path}.parameters`));
  if (response !== undefined) problems.push(...schemaProblems(response, `${path}.response`));
  return problems;
}

/** The types of a schema. */
const TYPES: ReadonlySet<string> = new Set([
  'STRING',
  'NUMBER',
  'INTEGER',
  'BOOLEAN',
  'ARRAY',
  'OBJECT',
  'NULL',
]);

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => numberText(value) !== undefined;
/** Protocol Buffers write integers of 64 bits as texts, and read both. */
const isCount = (value: unknown) =>
  /^\d{1,18}$/.test(isText(value) ? String(value) : (numberText(value) ?? ''));
const areTexts = (value: unknown) => Array.isArray(value) && value.every(isText);

/** The keywords of Vertex AI's own schema, and what is not a value of one. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/Schema */
const WORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => isText(value) && TYPES.has(String(value).toUpperCase()),
  format: isText,
  title: isText,
  description: isText,
  nullable: (value) => typeof value === 'boolean',
  default: () => true,
  example: () => true,
  enum: areTexts,
  pattern: isText,
  items: isObject,
  minItems: isCount,
  maxItems: isCount,
  properties: isObject,
  required: areTexts,
  propertyOrdering: areTexts,
  minProperties: isCount,
  maxProperties: isCount,
  minimum: isNumber,
  maximum: isNumber,
  minLength: isCount,
  maxLength: isCount,
  anyOf: (value) => Array.isArray(value),
  additionalProperties: () => true,
  ref: isText,
  defs: isObject,
};

/** Whether Vertex AI's own schema has this keyword with a value like this. */
export function isGeminiWord(word: string, value: unknown): boolean {
  return Object.hasOwn(WORDS, word) && WORDS[word]!(value);
}

function schemaProblems(schema: unknown, path: string): Problems {
  if (!isObject(schema)) return [`${path}: expected a schema`];
  const { type, properties, items, ...others } = schema;
  const problems = unknownKeys(schema, Object.keys(WORDS), path);
  if (type !== undefined && !isGeminiWord('type', type))
    problems.push(`${path}.type: expected one of ${[...TYPES].join(', ')}`);
  if (properties !== undefined && !isObject(properties))
    problems.push(`${path}.properties: expected an object`);
  for (const [word, value] of Object.entries(others))
    if (Object.hasOwn(WORDS, word) && !isGeminiWord(word, value))
      problems.push(
        `${at(path, word)}: ${JSON.stringify(value).slice(0, 80)} is of another type than Gemini reads`,
      );
  if (isObject(properties))
    for (const [key, each] of Object.entries(properties))
      problems.push(...schemaProblems(each, at(`${path}.properties`, key)));
  if (items !== undefined) problems.push(...schemaProblems(items, `${path}.items`));
  for (const [index, each] of listOf(others.anyOf).entries())
    problems.push(...schemaProblems(each, `${path}.anyOf[${index}]`));
  return problems;
}
