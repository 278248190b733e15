/** Bedrock's Converse API. @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
import type { Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { eventFrame } from '../../helpers/speakers.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments } from '../upstream.ts';

type Block = JsonObject & {
  text?: string;
  toolUse?: { toolUseId: string; name: string; input: JsonObject };
  toolResult?: { toolUseId: string; content: JsonObject[] };
  reasoningContent?: { reasoningText?: { text: string; signature: string } };
  image?: { format: string; source: { bytes: string } };
};
interface Turn {
  readonly role: string;
  readonly content: Block[];
}

const FIELDS = new Set(
  'messages system inferenceConfig toolConfig outputConfig additionalModelRequestFields serviceTier'.split(
    ' ',
  ),
);
const CONFIG = new Set('maxTokens temperature topP stopSequences'.split(' '));
const BLOCKS = new Set('text image toolUse toolResult reasoningContent cachePoint'.split(' '));

const usage = {
  inputTokens: USAGE.fresh,
  cacheReadInputTokens: USAGE.cached,
  cacheWriteInputTokens: 0,
  outputTokens: USAGE.said + USAGE.thought,
  totalTokens: USAGE.fresh + USAGE.cached + USAGE.said + USAGE.thought,
};

const signatureOf = (turn: number) => `c2lnbmF0dXJlIG9m${turn}`;

export const bedrock: Dialect = {
  name: 'bedrock',
  // An inference profile, whose name contains dots and a colon.
  model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  type: 'bedrock',
  base: '',
  mime: 'application/vnd.amazon.eventstream',

  other({ path, body }) {
    const [, model, method] = /^\/model\/([^/]+)\/([\w-]+)$/.exec(path) ?? [];
    if (method !== 'count-tokens') return undefined;
    demand(model === 'anthropic.claude-sonnet-4-5-20250929-v1%3A0', `no model ${model} counts tokens`);
    demand((body.input as JsonObject).converse, 'nothing is to be counted');
    return { inputTokens: 77 };
  },

  hear({ path, headers, body }: Asked) {
    const [, model = '', method] = /^\/model\/([^/]+)\/(converse(?:-stream)?)$/.exec(path) ?? [];
    demand(decodeURIComponent(model).startsWith(bedrock.model), `nothing is at ${path}`);
    demand(headers.get('authorization') === 'Bearer key-of-bedrock', 'the key is missing');
    const { maxTokens, temperature, ...config } = (body.inferenceConfig ?? {}) as JsonObject;
    const unknown = [
      ...Object.keys(body).filter((field) => !FIELDS.has(field)),
      ...Object.keys(config).filter((field) => !CONFIG.has(field)),
    ];
    demand(unknown.length === 0, `${unknown.join()}: extraneous key is not permitted`);
    const extra = (body.additionalModelRequestFields ?? {}) as JsonObject;
    const thinking = (extra.thinking ?? {}) as { type?: string; budget_tokens?: number };
    const thinks = thinking.type === 'enabled';
    if (thinks) {
      const { budget_tokens: budget = 0 } = thinking;
      demand(budget >= 1_024 && budget < Number(maxTokens), `thinking.budget_tokens is ${budget}`);
      demand(temperature === undefined || temperature === 1, 'thinking forbids temperature');
    }
    const turns = body.messages as Turn[];
    const results = hearTurns(turns, thinks);
    const { tools: asked, toolChoice } = (body.toolConfig ?? {}) as {
      tools?: { toolSpec: JsonObject & { inputSchema: { json: JsonObject } } }[];
      toolChoice?: JsonObject;
    };
    demand(!asked || asked.length > 0, 'toolConfig.tools must not be empty');
    demand(asked || results.length === 0, 'toolConfig must be defined when using toolUse');
    const tools = (asked ?? []).map(({ toolSpec }) => toolSpec);
    for (const { name, description, inputSchema } of tools) {
      demand(/^[\w-]{1,64}$/.test(String(name)), `a tool is named ${String(name)}`);
      demand(description !== '', 'a description must not be empty');
      demand(inputSchema.json.type === 'object', 'inputSchema.json must be an object');
    }
    const said = turns.filter(({ role }) => role === 'user').flatMap(({ content }) => content);
    const pictures = said.flatMap(({ image }) => image ?? []);
    demand(
      pictures.every(({ format }) => format === 'png'),
      'the format of an image is wrong',
    );
    return {
      scene: sceneOf(said.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks,
      stream: method === 'converse-stream',
      schema: schemaOf(body.outputConfig),
      must: forcedOf(
        toolChoice?.any !== undefined || toolChoice?.tool !== undefined,
        tools.map(({ name, inputSchema }) => [name, inputSchema.json]),
      ),
      pictures: pictures.map(({ source }) => source.bytes),
      tools: tools.map(({ name }) => String(name)),
    };
  },

  whole: (said, turn) => ({
    output: { message: { role: 'assistant', content: blocksOf(said, turn) } },
    stopReason: stopOf(said),
    usage,
    metrics: { latencyMs: 5 },
  }),

  events: (said, turn) => [
    eventFrame(['messageStart', { role: 'assistant' }]),
    ...blocksOf(said, turn).flatMap(blockEvents),
    eventFrame(['messageStop', { stopReason: stopOf(said) }]),
    eventFrame(['metadata', { usage, metrics: { latencyMs: 5 } }]),
  ],

  begun: () => ({
    head: [eventFrame(['messageStart', { role: 'assistant' }])],
    piece: delta(0, { text: PIECE }),
    broken: eventFrame(['modelStreamErrorException', { message: BREAKAGE, originalStatusCode: 500 }]),
  }),

  error: (_status, message) => ({ message }),
};

function schemaOf(outputConfig: unknown): string[] | undefined {
  if (outputConfig === undefined) return undefined;
  const { textFormat } = outputConfig as {
    textFormat: { type: string; structure: { jsonSchema: { schema: string; name: string } } };
  };
  demand(textFormat.type === 'json_schema', `textFormat.type is ${textFormat.type}`);
  const { schema } = textFormat.structure.jsonSchema;
  demand(typeof schema === 'string', 'a schema must be a text');
  return Object.keys((JSON.parse(schema) as { properties: JsonObject }).properties);
}

/**
 * Roles must alternate, the turn after a call must begin with its result, and reasoning must be returned
 * with its signature.
 */
function hearTurns(turns: readonly Turn[], thinks: boolean): string[][] {
  demand(turns?.length > 0, 'a conversation must not be empty');
  const results: string[][] = [];
  turns.forEach(({ role, content }, index) => {
    demand(role === (index % 2 === 0 ? 'user' : 'assistant'), `messages.${index}: roles must alternate`);
    demand(content.length > 0, `messages.${index}: content must not be empty`);
    for (const block of content) {
      const kinds = Object.keys(block);
      demand(kinds.length === 1 && BLOCKS.has(kinds[0]!), `messages.${index}: a block of ${kinds.join()}`);
      demand(block.text !== '', `messages.${index}: empty text`);
    }
    const calls = content.flatMap(({ toolUse }) => toolUse ?? []);
    if (role === 'user') {
      const before = (turns[index - 1]?.content ?? []).filter(({ toolUse }) => toolUse);
      const found = content.filter(({ toolResult }) => toolResult).length;
      demand(found === before.length, `messages.${index}: toolResult blocks exceed the toolUse blocks`);
    }
    if (calls.length === 0) return;
    const turn = results.length;
    if (thinks) {
      const { reasoningText } = content[0]!.reasoningContent ?? {};
      demand(reasoningText, `messages.${index}: reasoning must come first`);
      demand(reasoningText.signature === signatureOf(turn), `messages.${index}: invalid signature`);
    }
    const answers = (turns[index + 1]?.content ?? []).slice(0, calls.length);
    results.push(
      calls.map(({ toolUseId }) => {
        demand(/^[\w.:-]{1,64}$/.test(toolUseId), `toolUseId is ${toolUseId}`);
        const result = answers.find(({ toolResult }) => toolResult?.toolUseId === toolUseId)?.toolResult;
        demand(result, `${toolUseId} has no toolResult right behind it`);
        return result.content.map(({ text }) => text).join('');
      }),
    );
  });
  return results;
}

function blocksOf({ reasoning, text, calls = [] }: Said, turn: number): Block[] {
  const thought = (words: string) => ({ reasoningText: { text: words, signature: signatureOf(turn) } });
  return [
    ...(reasoning === undefined ? [] : [{ reasoningContent: thought(reasoning) }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ name, input }, at) => ({
      toolUse: { toolUseId: `tooluse_0${turn}${at}`, name, input: { ...input } },
    })),
  ];
}

function stopOf({ calls }: Said): string {
  return calls ? 'tool_use' : 'end_turn';
}

function delta(contentBlockIndex: number, value: JsonObject): Uint8Array {
  return eventFrame(['contentBlockDelta', { contentBlockIndex, delta: value }]);
}

/** Only calls have a start event; texts consist of their deltas. */
function blockEvents({ text, reasoningContent, toolUse }: Block, index: number): Uint8Array[] {
  const stop = eventFrame(['contentBlockStop', { contentBlockIndex: index }]);
  if (text !== undefined) return [...fragments(text).map((piece) => delta(index, { text: piece })), stop];
  if (reasoningContent) {
    const { text: words, signature } = reasoningContent.reasoningText!;
    const pieces = [...fragments(words).map((piece) => ({ text: piece })), { signature }];
    return [...pieces.map((piece) => delta(index, { reasoningContent: piece })), stop];
  }
  const { toolUseId, name, input } = toolUse!;
  return [
    eventFrame(['contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId, name } } }]),
    ...fragments(JSON.stringify(input), 5).map((piece) => delta(index, { toolUse: { input: piece } })),
    stop,
  ];
}
