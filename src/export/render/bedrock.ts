import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Part, Tool, ToolCall } from '../conversation/conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import type { Result, Turn } from './tool-turns.ts';
import { ToolIds } from '../../wire/bedrock/tool-ids.ts';
import { isObject } from '../../wire/json.ts';
import { RejectError } from '../errors.ts';
import { fileProblems } from './chat-check.ts';
import { bedrockProblems, IMAGES, MAX_IMAGES, RESERVED, S3_URI, SCHEMA_VERSION } from './bedrock-check.ts';
import { BEDROCK_FUNCTIONS, withFunctions } from './function-rules.ts';
import { imageTypeAt } from './image-type.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { turnsOf } from './tool-turns.ts';
import { alternating, partsOf, systemApart, withoutRefusals } from './turns.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';

/**
 * Nova and Llama on Bedrock, in Converse's format. Differences between models follow AWS's own validator: tools and
 * reasoning are for Nova 2 only, images must be in S3.
 * @see https://docs.aws.amazon.com/nova/latest/nova2-userguide/nova-data-prep-sft-2.html
 * @see https://github.com/aws-samples/amazon-nova-samples/tree/main/customization/bedrock-finetuning/understanding/dataset_validation
 */
export const bedrockFormat: Format = {
  name: 'bedrock',
  summary: 'Bedrock fine-tuning of Nova and Llama (converse)',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  readsTexts: true,
  extras: false,
  columns: [
    { name: 'schemaVersion', type: 'string' },
    { name: 'system', type: 'jsons', optional: true },
    { name: 'toolConfig', type: 'json', optional: true },
    { name: 'messages', type: 'jsons' },
  ],
  render: ({ conversation }, options) => {
    const { prompt, answer, tools } = withFunctions(conversation, BEDROCK_FUNCTIONS);
    const messages = [...prompt, answer];
    withoutRefusals(messages);
    const { system, rest } = systemApart(messages);
    const turns = turnsOf(alternating(rest));
    definedCalls(turns, tools);
    return {
      schemaVersion: SCHEMA_VERSION,
      ...(system === undefined ? {} : { system: [textBlock(system)] }),
      ...(tools.length > 0 ? { toolConfig: { tools: tools.map(toolSpec) } } : {}),
      messages: alternatingMessages(turns, options),
    };
  },
  check: bedrockProblems,
  // Nova's limits.
  checkFile: (file) => fileProblems(file, { minRows: 8, maxRows: 20_000 }),
};

/** A call of an undefined tool makes the job fail. */
function definedCalls(turns: readonly Turn[], tools: readonly Tool[]): void {
  const names = new Set(tools.map((tool) => tool.function.name));
  for (const turn of turns)
    if (turn.by === 'assistant' && turn.message.tool_calls?.some((call) => !names.has(call.function.name)))
      throw new RejectError('unknown_tool');
}

/** Results form a user message, together with what the user says next. */
function alternatingMessages(turns: readonly Turn[], options: RenderOptions): JsonObject[] {
  const ids = new CallIds();
  const messages: { role: 'user' | 'assistant'; content: JsonObject[] }[] = [];
  for (const turn of turns) {
    const role = turn.by === 'assistant' ? 'assistant' : 'user';
    const content = blocksOf(turn, ids, options);
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  }
  if (messages.some(({ content }) => content.filter(({ image }) => image).length > MAX_IMAGES))
    throw new RejectError('too_many_images');
  return messages;
}

function blocksOf(turn: Turn, ids: CallIds, options: RenderOptions): JsonObject[] {
  if (turn.by === 'user') return partsOf(turn.message.content).map(userBlock);
  if (turn.by === 'assistant') return assistantBlocks(turn.message, ids, options);
  return turn.results.map((result) => resultBlock(result, ids));
}

/** @throws RejectError for words that make the job fail */
function textBlock(text: string): JsonObject {
  if (RESERVED.test(text)) throw new RejectError('reserved_words');
  return { text };
}

/** Images are only read from S3. */
function userBlock(part: Part): JsonObject {
  if (part.type === 'text') return textBlock(part.text);
  const uri = part.image_url.url;
  const format = imageTypeAt(uri);
  if (!S3_URI.test(uri) || !IMAGES.has(format)) throw new RejectError('unsupported_content');
  return { image: { format, source: { s3Location: { uri } } } };
}

function assistantBlocks(message: AssistantMessage, ids: CallIds, options: RenderOptions): JsonObject[] {
  const apart = options.reasoning === 'keep' && message.reasoning !== undefined;
  const text = apart ? message.content : textWithReasoning(message, options);
  return [
    ...(apart ? [{ reasoningContent: { reasoningText: textBlock(message.reasoning!) } }] : []),
    ...(text === '' ? [] : [textBlock(text)]),
    ...(message.tool_calls ?? []).map((call) => ({
      toolUse: {
        toolUseId: ids.of(call),
        name: call.function.name,
        input: parseLongNumbers(call.function.arguments),
      },
    })),
  ];
}

function resultBlock({ call, content }: Result, ids: CallIds): JsonObject {
  // A result may be empty, but not consist of white space. Reserved words are allowed in it.
  const text = content.trim() === '' ? '' : content;
  return { toolResult: { toolUseId: ids.of(call), content: [{ text }] } };
}

/** A description is required: the name replaces a missing one. */
function toolSpec({ function: { name, description, parameters } }: Tool): JsonObject {
  const described = description === undefined || description.trim() === '' ? name : description;
  const schema = isObject(parameters) ? parameters : { properties: {} };
  return { toolSpec: { name, description: described, inputSchema: { json: { type: 'object', ...schema } } } };
}

/** Unique call ids, since a client may restart numbering in each turn. */
class CallIds {
  readonly #ids = new ToolIds(false);
  readonly #given = new Map<ToolCall, string>();
  readonly #times = new Map<string, number>();

  of(call: ToolCall): string {
    const known = this.#given.get(call);
    if (known !== undefined) return known;
    const times = this.#times.get(call.id) ?? 0;
    this.#times.set(call.id, times + 1);
    // An id of this form cannot occur otherwise, so it can replace a duplicate.
    const id = this.#ids.of(times === 0 ? call.id : `${call.id}\0${times}`);
    this.#given.set(call, id);
    return id;
  }
}
