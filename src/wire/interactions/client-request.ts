import type { ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { ProxyError } from '../../errors.ts';
import {
  fieldOf,
  flagIn,
  nameIn,
  numberIn,
  objectIn,
  objectsIn,
  textIn,
  textsIn,
  wrong,
} from '../gemini/client-check.ts';
import { requireDeclared } from '../gemini/client-tools.ts';
import { entryOf, isObject, listOf } from '../json.ts';
import { isStrict } from '../strict-schema.ts';
import { named, wordOf } from '../words.ts';
import { decodeInput } from './client-input.ts';

/** The fields of a request that are read. A provider may store it; nothing is stored here. */
const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'input',
  'system_instruction',
  'tools',
  'generation_config',
  'response_format',
  'response_mime_type',
  'response_modalities',
  'service_tier',
  'stream',
  'store',
  'background',
  'previous_interaction_id',
]);
const CONFIGURED: ReadonlySet<string> = new Set([
  'max_output_tokens',
  'temperature',
  'top_p',
  'seed',
  'stop_sequences',
  'thinking_level',
  'thinking_summaries',
  'tool_choice',
]);

/** Fields that refer to earlier content, such as Google's cache, or that were already decoded. */
const GOOGLES = ['cached_content', 'continuation_token'] as const;

/** Service tiers in OpenAI's terms. */
const TIERS: Readonly<Record<string, string>> = { standard: 'default', flex: 'flex', priority: 'priority' };

/** Thinking levels, which correspond to efforts. */
const LEVELS: ReadonlySet<string> = new Set(['minimal', 'low', 'medium', 'high', 'xhigh']);

/** Google's own tools, by their names in other APIs. */
const HOSTED: Readonly<Record<string, string>> = {
  google_search: 'web_search',
  code_execution: 'code_execution',
  url_context: 'web_fetch',
};

const TYPED: ReadonlySet<string> = new Set(['type']);
/** The fields of a function that are read. */
const DECLARED: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters']);

export interface InteractionRequest {
  readonly request: ChatRequest;
  /** The names of what has no counterpart: fields, `tools.<type>`, `steps.<type>`, `content.<type>`. */
  readonly dropped: string[];
  /** Whether the client requests thoughts. */
  readonly thoughts: boolean;
}

/**
 * Decodes a request to Gemini's interactions to OpenAI's chat format. @throws ProxyError `invalid_request`
 * naming the invalid field, `unsupported` for what only Google has
 * @see https://ai.google.dev/api/interactions-api
 */
export function decodeInteractionRequest(body: JsonObject): InteractionRequest {
  refuseState(body);
  const dropped = new Set<string>(unknownIn(body, KNOWN));
  const config = objectIn(body, 'generation_config', '') ?? {};
  for (const name of unknownIn(config, CONFIGURED)) dropped.add(`generation_config.${name}`);
  const stream = flagIn(body, 'stream', '') === true;
  const request: ChatRequest = {
    model: nameIn(body, 'model', ''),
    messages: decodeInput(body, dropped),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...configOf(config),
    ...formatOf(body, dropped),
    ...modalitiesOf(body),
    ...toolsOf(body, config, dropped),
    ...tierOf(body, dropped),
  };
  const thoughts = textIn(config, 'thinking_summaries', 'generation_config')?.toLowerCase() === 'auto';
  return { request, dropped: [...dropped], thoughts };
}

function unknownIn(object: JsonObject, known: ReadonlySet<string>): string[] {
  return Object.keys(object).filter((name) => object[name] !== null && !known.has(name));
}

/** The conversation would lack its beginning, or continue in a background that cannot be polled. */
function refuseState(body: JsonObject): void {
  if (textIn(body, 'previous_interaction_id', ''))
    throw new ProxyError(
      'unsupported',
      'Cannot continue from previous_interaction_id: only Google has that interaction; send its steps as "input"',
      { param: 'previous_interaction_id' },
    );
  for (const name of GOOGLES)
    if (textIn(body, name, ''))
      throw new ProxyError('unsupported', `Cannot use ${name}: only Google has what it refers to`, {
        param: name,
      });
  if (flagIn(body, 'background', '') === true)
    throw new ProxyError('unsupported', 'Cannot run an interaction in the background: only Google can', {
      param: 'background',
    });
}

function configOf(config: JsonObject): Partial<ChatRequest> {
  const at = 'generation_config';
  const stop = textsIn(config, 'stop_sequences', at);
  const level = textIn(config, 'thinking_level', at)?.toLowerCase();
  if (level !== undefined && !LEVELS.has(level))
    throw wrong(
      `${at}.thinking_level`,
      `expected minimal, low, medium, high or xhigh, and not ${named(level)}`,
    );
  const fields: Partial<ChatRequest> = {
    max_tokens: numberIn(config, 'max_output_tokens', at, { min: 0, whole: true }) || undefined,
    temperature: numberIn(config, 'temperature', at, { min: 0, max: 2 }),
    top_p: numberIn(config, 'top_p', at, { min: 0, max: 1 }),
    seed: numberIn(config, 'seed', at, { whole: true }),
    stop: stop.length > 0 ? stop : undefined,
    reasoning_effort: level,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * One format, or one for each kind of output; the first version had only the schema, beside its MIME type.
 */
function formatOf(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = fieldOf(body, 'response_format');
  const type = textIn(body, 'response_mime_type', '')?.toLowerCase();
  const formats = (Array.isArray(given) ? (given as unknown[]) : [given]).filter(isObject);
  for (const format of formats)
    if (typeof format.type === 'string' && /^(?:audio|image|video)$/.test(format.type))
      dropped.add(`response_format.${format.type}`);
  const text = formats.find((format) => format.type === 'text');
  if (text) {
    const mime = textIn(text, 'mime_type', 'response_format')?.toLowerCase();
    const schema = objectIn(text, 'schema', 'response_format');
    return mime === 'application/json' || schema ? jsonFormat(schema) : {};
  }
  if (type !== undefined && type !== 'application/json') return {};
  const schema = formats.find((format) => !/^(?:audio|image|video)$/.test(String(format.type)));
  return schema || type ? jsonFormat(schema) : {};
}

function jsonFormat(schema: JsonObject | undefined): Partial<ChatRequest> {
  if (!schema) return { response_format: { type: 'json_object' } };
  const strict = isStrict(schema) ? { strict: true } : {};
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, ...strict } } };
}

function modalitiesOf(body: JsonObject): Partial<ChatRequest> {
  const wanted = textsIn(body, 'response_modalities', '').map((name) => name.toLowerCase());
  return wanted.some((name) => name !== 'text') ? { modalities: wanted } : {};
}

function toolsOf(body: JsonObject, config: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const tools: ChatTool[] = [];
  const hosted: HostedTool[] = [];
  objectsIn(body, 'tools', '').forEach((tool, index) => {
    const own = entryOf(HOSTED, String(tool.type));
    if (tool.type === 'function') tools.push(functionOf(tool, `tools[${index}]`, dropped));
    else if (own !== undefined) hosted.push(hostedTool(tool, own, dropped));
    else dropped.add(`tools.${wordOf(tool.type)}`);
  });
  const { allowed, ...choice } = choiceOf(config);
  requireDeclared(tools, allowed, 'generation_config.tool_choice.allowed_tools.tools');
  // Few APIs can restrict calls to some functions: those that may not be called are left out.
  const offered = allowed ? tools.filter(({ function: { name } }) => allowed.includes(name)) : tools;
  return {
    ...(offered.length > 0 ? { tools: offered, ...choice } : {}),
    ...(hosted.length > 0 ? { hosted_tools: hosted } : {}),
  };
}

/** A tool that the provider runs. Its settings are Google's own. */
function hostedTool(tool: JsonObject, name: string, dropped: Set<string>): HostedTool {
  const word = `tools.${String(tool.type)}`;
  for (const option of unknownIn(tool, TYPED)) dropped.add(`${word}.${option}`);
  return { name, word, options: {} };
}

function functionOf(tool: JsonObject, at: string, dropped: Set<string>): ChatTool {
  for (const name of unknownIn(tool, DECLARED)) dropped.add(`tools.${name}`);
  const description = textIn(tool, 'description', at);
  return {
    type: 'function',
    function: {
      name: nameIn(tool, 'name', at),
      ...(description === undefined ? {} : { description }),
      parameters: objectIn(tool, 'parameters', at) ?? { type: 'object', properties: {} },
    },
  };
}

interface Choice extends Pick<ChatRequest, 'tool_choice'> {
  /** The only functions that may be called. */
  readonly allowed?: readonly string[];
}

function choiceOf(config: JsonObject): Choice {
  const at = 'generation_config.tool_choice';
  const given = fieldOf(config, 'tool_choice');
  if (given === undefined) return {};
  if (typeof given === 'string') return modeOf(given, [], at);
  if (!isObject(given)) throw wrong(at, 'expected a word or an object');
  const { mode, tools } = objectIn(given, 'allowed_tools', at) ?? {};
  const names = listOf(tools).filter((name): name is string => typeof name === 'string');
  return modeOf(typeof mode === 'string' ? mode : 'auto', names, `${at}.allowed_tools.mode`);
}

function modeOf(mode: string, names: readonly string[], at: string): Choice {
  const allowed = names.length > 0 ? { allowed: names } : {};
  switch (mode.toLowerCase()) {
    case 'none':
      return { tool_choice: 'none' };
    case 'any': {
      const [only, second] = names;
      if (only === undefined || second !== undefined) return { tool_choice: 'required', ...allowed };
      return { tool_choice: { type: 'function', function: { name: only } } };
    }
    case 'auto':
    case 'validated':
      return { tool_choice: 'auto', ...allowed };
    default:
      throw wrong(at, `expected auto, any, none or validated, and not ${named(mode)}`);
  }
}

function tierOf(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = textIn(body, 'service_tier', '');
  if (given === undefined) return {};
  const tier = entryOf(TIERS, given.toLowerCase());
  if (tier === undefined) dropped.add('service_tier');
  return tier === undefined ? {} : { service_tier: tier };
}
