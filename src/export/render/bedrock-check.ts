/** Checks rows for Bedrock fine-tuning in Converse's format, by the rules of AWS's validator. */
import type { JsonObject } from '../../wire/json.ts';
import type { Problems } from './problems.ts';
import { isObject, listOf, objectOf } from '../../wire/json.ts';
import { BEDROCK_FUNCTIONS, functionsProblems } from './function-rules.ts';
import { objectsIn, textProblems, unknownKeys } from './problems.ts';

export const SCHEMA_VERSION = 'bedrock-conversation-2024';
/** The largest number of images per message. */
export const MAX_IMAGES = 10;
export const IMAGES: ReadonlySet<unknown> = new Set(['jpeg', 'png', 'gif', 'webp']);
export const S3_URI = /^s3:\/\/[\w\-/.]+$/;
/**
 * Words that are reserved by Nova's trainer: a single one of them, anywhere in a text of a user, a system prompt or the
 * model, makes the whole job fail. AWS's validator accepted some of them in lower case, but no longer does; it does not
 * look for them in results of tools.
 * @see https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html
 */
export const RESERVED = /(?i:system|user|bot|assistant):|Thought:|\[EOS\]|(?i:<(?:image|video|unk)>)/;

const BLOCKS = ['text', 'image', 'video', 'document', 'reasoningContent', 'toolUse', 'toolResult'] as const;
type Kind = (typeof BLOCKS)[number];

/** The role that may use a kind of block; kinds that are not listed are for both roles. */
const ROLE_OF_KIND: Readonly<Partial<Record<Kind, string>>> = {
  image: 'user',
  video: 'user',
  document: 'user',
  reasoningContent: 'assistant',
  toolUse: 'assistant',
  toolResult: 'user',
};

const FORMATS: Readonly<Record<'image' | 'video' | 'document', ReadonlySet<unknown>>> = {
  image: IMAGES,
  video: new Set(['mov', 'mkv', 'mp4', 'webm']),
  document: new Set(['pdf']),
};

export function bedrockProblems(row: JsonObject): Problems {
  const problems = unknownKeys(row, ['schemaVersion', 'system', 'toolConfig', 'messages'], '');
  if (row.schemaVersion !== SCHEMA_VERSION) problems.push(`schemaVersion: expected "${SCHEMA_VERSION}"`);
  if ('system' in row) problems.push(...systemProblems(row.system));
  if ('toolConfig' in row) problems.push(...toolConfigProblems(row.toolConfig));
  const { items, problems: found } = objectsIn(row.messages, 'messages');
  const inner = items.flatMap((message, index) => messageProblems(message, `messages[${index}]`));
  const calls = callProblems(items, namesIn(row.toolConfig));
  const documents = items.flatMap(({ content }) => valuesIn(content, 'document'));
  if (documents.length > 1) problems.push('messages: more than one document');
  return [...problems, ...found, ...orderProblems(items), ...inner, ...calls];
}

function systemProblems(value: unknown): Problems {
  const { items, problems } = objectsIn(value, 'system');
  for (const [index, block] of items.entries()) {
    const path = `system[${index}]`;
    problems.push(...unknownKeys(block, ['text'], path), ...wordsProblems(block.text, `${path}.text`));
  }
  return problems;
}

function wordsProblems(text: unknown, path: string): Problems {
  const word = typeof text === 'string' ? RESERVED.exec(text)?.[0] : undefined;
  return word === undefined ? textProblems(text, path) : [`${path}: "${word}" is kept for the trainer`];
}

/** Roles must alternate, with the user first and the assistant last. */
function orderProblems(messages: readonly JsonObject[]): Problems {
  const problems = messages.flatMap(({ role }, index) => {
    const expected = index % 2 === 0 ? 'user' : 'assistant';
    return role === expected ? [] : [`messages[${index}].role: expected ${expected}`];
  });
  if (messages.length % 2 === 1) problems.push("messages: the last message must be the assistant's");
  return problems;
}

function messageProblems({ content, ...message }: JsonObject, path: string): Problems {
  const { items, problems } = objectsIn(content, `${path}.content`);
  for (const [index, block] of items.entries())
    problems.push(...blockProblems(block, message.role, `${path}.content[${index}]`));
  const count = (kind: Kind) => items.filter((block) => kind in block).length;
  if (count('image') > MAX_IMAGES) problems.push(`${path}.content: more than ${MAX_IMAGES} images`);
  if (count('video') > 1) problems.push(`${path}.content: more than one video`);
  if (count('video') > 0 && count('image') + count('document') > 0)
    problems.push(`${path}.content: a video does not go with images or documents`);
  if (items.length > 0 && count('reasoningContent') === items.length)
    problems.push(`${path}.content: contains only reasoning`);
  return [...unknownKeys(message, ['role'], path), ...problems];
}

function blockProblems(block: JsonObject, role: unknown, path: string): Problems {
  const kinds = BLOCKS.filter((kind) => kind in block);
  const [kind] = kinds;
  const problems = unknownKeys(block, BLOCKS, path);
  if (kind === undefined || kinds.length > 1)
    return [...problems, `${path}: expected one of ${BLOCKS.join(', ')}`];
  const place = `${path}.${kind}`;
  const expectedRole = ROLE_OF_KIND[kind];
  if (expectedRole !== undefined && role !== expectedRole)
    problems.push(`${place}: only the ${expectedRole} has it`);
  if (kind === 'text') return [...problems, ...wordsProblems(block.text, place)];
  const value = block[kind];
  if (!isObject(value)) return [...problems, `${place}: expected an object`];
  if (kind === 'reasoningContent')
    return [
      ...problems,
      ...unknownKeys(value, ['reasoningText'], place),
      ...wordsProblems(objectOf(value.reasoningText).text, `${place}.reasoningText.text`),
    ];
  if (kind === 'toolUse') return [...problems, ...toolUseProblems(value, place)];
  if (kind === 'toolResult') return [...problems, ...toolResultProblems(value, place)];
  return [...problems, ...mediaProblems(value, kind, place)];
}

function mediaProblems(value: JsonObject, kind: keyof typeof FORMATS, path: string): Problems {
  const formats = FORMATS[kind];
  const { format, source } = value;
  const place = objectOf(objectOf(source).s3Location);
  const { uri, bucketOwner } = place;
  const problems = [
    ...unknownKeys(value, kind === 'document' ? ['format', 'name', 'source'] : ['format', 'source'], path),
    ...unknownKeys(objectOf(source), ['s3Location'], `${path}.source`),
    ...unknownKeys(place, ['uri', 'bucketOwner'], `${path}.source.s3Location`),
  ];
  if (!formats.has(format)) problems.push(`${path}.format: expected ${[...formats].join(', ')}`);
  if (typeof uri !== 'string' || !S3_URI.test(uri))
    problems.push(`${path}.source.s3Location.uri: expected an s3:// address of letters, digits and _-/.`);
  if (bucketOwner !== undefined && typeof bucketOwner !== 'string')
    problems.push(`${path}.source.s3Location.bucketOwner: expected a text`);
  return problems;
}

function toolUseProblems({ toolUseId, name, input, ...others }: JsonObject, path: string): Problems {
  const problems = [
    ...unknownKeys(others, [], path),
    ...textProblems(toolUseId, `${path}.toolUseId`),
    ...textProblems(name, `${path}.name`),
  ];
  return isObject(input) ? problems : [...problems, `${path}.input: expected an object`];
}

function toolResultProblems(result: JsonObject, path: string): Problems {
  const { toolUseId, content } = result;
  const { items, problems } = objectsIn(content, `${path}.content`);
  problems.push(...unknownKeys(result, ['toolUseId', 'content', 'status'], path));
  for (const [index, block] of items.entries()) {
    const { text, json } = block;
    const place = `${path}.content[${index}]`;
    problems.push(...unknownKeys(block, ['text', 'json'], place));
    if ((typeof text === 'string') === isObject(json))
      problems.push(`${place}: expected a text, or an object as json`);
    // Contrary to what the documentation suggests, a result may be empty.
    if (typeof text === 'string' && text !== '') problems.push(...textProblems(text, `${place}.text`));
  }
  return [...textProblems(toolUseId, `${path}.toolUseId`), ...problems];
}

function toolConfigProblems(config: unknown): Problems {
  if (!isObject(config)) return ['toolConfig: expected an object'];
  const { items, problems } = objectsIn(config.tools, 'toolConfig.tools');
  for (const [index, tool] of items.entries()) {
    const path = `toolConfig.tools[${index}].toolSpec`;
    const spec = objectOf(tool.toolSpec);
    const { name, description, inputSchema, strict } = spec;
    if (typeof (strict ?? true) !== 'boolean') problems.push(`${path}.strict: expected true or false`);
    problems.push(
      ...unknownKeys(tool, ['toolSpec'], `toolConfig.tools[${index}]`),
      ...unknownKeys(spec, ['name', 'description', 'inputSchema', 'strict'], path),
      ...unknownKeys(objectOf(inputSchema), ['json'], `${path}.inputSchema`),
    );
    problems.push(...textProblems(name, `${path}.name`), ...textProblems(description, `${path}.description`));
    if (objectOf(objectOf(inputSchema).json).type === undefined)
      problems.push(`${path}.inputSchema.json: expected a schema with a type`);
  }
  const specs = items.map(({ toolSpec }) => objectOf(toolSpec));
  problems.push(
    ...functionsProblems(specs, (index) => `toolConfig.tools[${index}].toolSpec`, BEDROCK_FUNCTIONS),
  );
  return [...unknownKeys(config, ['tools'], 'toolConfig'), ...problems];
}

function namesIn(config: unknown): ReadonlySet<unknown> {
  return new Set(listOf(objectOf(config).tools).map((tool) => objectOf(objectOf(tool).toolSpec).name));
}

/** Each call must be of a defined tool, with a unique id, and with one result directly after it. */
function callProblems(messages: readonly JsonObject[], names: ReadonlySet<unknown>): Problems {
  const problems: Problems = [];
  const ids = new Set<unknown>();
  let open = new Set<unknown>();
  for (const [index, { content }] of messages.entries()) {
    const path = `messages[${index}].content`;
    for (const { toolUseId } of valuesIn(content, 'toolResult'))
      if (!open.delete(toolUseId)) problems.push(`${path}: a toolResult answers no open call`);
    if (open.size > 0) problems.push(`${path}: ${open.size} calls before it have no result`);
    open = new Set();
    for (const { toolUseId, name } of valuesIn(content, 'toolUse')) {
      if (!names.has(name)) problems.push(`${path}: toolConfig has no tool ${JSON.stringify(name)}`);
      if (ids.has(toolUseId)) problems.push(`${path}: the toolUseId ${JSON.stringify(toolUseId)} twice`);
      ids.add(toolUseId);
      open.add(toolUseId);
    }
  }
  return problems;
}

function valuesIn(content: unknown, kind: Kind): JsonObject[] {
  return listOf(content).flatMap((block) => {
    const value = isObject(block) ? block[kind] : undefined;
    return isObject(value) ? [value] : [];
  });
}
