/** What services demand of the functions of a row: how they are named, how many there are, and their schemas. */
import { createHash } from 'node:crypto';
import { isObject, listOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Conversation, Message, Tool } from '../conversation/conversation.ts';
import type { Problems } from './problems.ts';
import type { SchemaRules } from './json-schema.ts';
import { RejectError } from '../errors.ts';
import { fittedSchema, schemaProblems } from './json-schema.ts';

export interface FunctionRules {
  /** What a name must match as a whole. */
  readonly name: RegExp;
  /** What it must not contain. */
  readonly forbidden: RegExp;
  readonly longestName: number;
  /** What its first character must match. */
  readonly first?: RegExp;
  /** The largest number of functions per row. */
  readonly most?: number;
  /** Whether two functions must not have the same name. */
  readonly unique?: true;
  /** Whether each must have a description and parameters, which may be empty. */
  readonly described?: true;
  /** The rules for parameters. */
  readonly schema?: SchemaRules;
}

/** OpenAI's names, which Mistral and Bedrock have adopted. */
const COMMON_NAMES = {
  name: /^[a-zA-Z0-9_-]{1,64}$/,
  forbidden: /[^a-zA-Z0-9_-]/gu,
  longestName: 64,
} as const;

/**
 * OpenAI refuses other names, more functions, and objects and arrays that do not say what they contain.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export const OPENAI_FUNCTIONS: FunctionRules = { ...COMMON_NAMES, most: 128, schema: { contents: true } };

/** @see https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py */
export const MISTRAL_FUNCTIONS: FunctionRules = { ...COMMON_NAMES, described: true, schema: {} };

/** @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html */
export const BEDROCK_FUNCTIONS: FunctionRules = { ...COMMON_NAMES, unique: true };

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/FunctionDeclaration */
export const GEMINI_FUNCTIONS: FunctionRules = {
  name: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/,
  forbidden: /[^a-zA-Z0-9_.:-]/gu,
  longestName: 128,
  first: /^[a-zA-Z_]/,
  unique: true,
};

/**
 * Chat templates take any name. Many fail on what Python's libraries do not generate from functions: gpt-oss's if the
 * description is missing, Gemma's and gpt-oss's if a property's schema is no object.
 * @see https://github.com/huggingface/trl/tree/main/trl/chat_templates
 */
export const TEMPLATE_FUNCTIONS: FunctionRules = {
  name: /^[^]*$/,
  forbidden: /(?!)/gu,
  longestName: Infinity,
  described: true,

  schema: { objects: true },
};

export function nameProblems(value: unknown, path: string, { name }: FunctionRules): Problems {
  return typeof value === 'string' && !name.test(value)
    ? [`${path}: ${JSON.stringify(value.slice(0, 80))} does not match ${name.source}`]
    : [];
}

/** Problems of functions with their names and parameters. */
export function functionsProblems(
  functions: readonly JsonObject[],
  path: (index: number) => string,
  rules: FunctionRules,
): Problems {
  const problems: Problems = [];
  const names = new Set<unknown>();
  for (const [index, { name, parameters }] of functions.entries()) {
    problems.push(...nameProblems(name, `${path(index)}.name`, rules));
    if (rules.unique && names.has(name)) problems.push(`${path(index)}.name: twice`);
    names.add(name);
    if (rules.schema && isObject(parameters))
      problems.push(...schemaProblems(parameters, `${path(index)}.parameters`, rules.schema));
  }
  const { most = Infinity } = rules;
  if (functions.length > most)
    problems.push(`${path(most)}: ${functions.length} functions: ${most} are the most`);
  return problems;
}

/**
 * The conversation with functions that a service accepts: names are spelled in allowed characters, and
 * parameters lose what is not JSON Schema. The same object if nothing has to change.
 * @throws RejectError when there are too many functions
 */
export function withFunctions(conversation: Conversation, rules: FunctionRules): Conversation {
  const { prompt, answer, tools } = conversation;
  if (tools.length > (rules.most ?? Infinity)) throw new RejectError('unsupported_tools');
  const names = new Names(rules);
  const messages = [...prompt, answer];
  for (const tool of tools) names.take(tool.function.name);
  for (const message of messages) takeNames(message, names);
  const fitted = fittedTools(tools, rules);
  if (!names.changed && fitted === tools) return conversation;
  return {
    ...conversation,
    prompt: prompt.map((message) => renamed(message, names)),
    answer: renamed(answer, names),
    tools: fitted.map((tool) => ({
      ...tool,
      function: { ...tool.function, name: names.of(tool.function.name) },
    })),
  };
}

function takeNames(message: Message, names: Names): void {
  if (message.name !== undefined) names.take(message.name);
  if (message.role === 'assistant')
    for (const call of message.tool_calls ?? []) names.take(call.function.name);
}

function renamed<Of extends Message>(message: Of, names: Names): Of {
  const calls = message.role === 'assistant' ? message.tool_calls : undefined;
  return {
    ...message,
    ...(message.name === undefined ? {} : { name: names.of(message.name) }),
    ...(calls
      ? {
          tool_calls: calls.map((call) => ({
            ...call,
            function: { ...call.function, name: names.of(call.function.name) },
          })),
        }
      : {}),
  };
}

/** The tools with the parameters, and descriptions, that a loader accepts. The same list if nothing has to change. */
export function fittedTools(tools: readonly Tool[], rules: FunctionRules): readonly Tool[] {
  const { described, schema, unique } = rules;
  // The last definition counts.
  const last = new Map(tools.map((tool) => [tool.function.name, tool]));
  const some = unique && last.size < tools.length ? [...last.values()] : tools;
  if (!schema) return some;
  const fitted = some.map((tool) => {
    const { parameters } = tool.function;
    const fits = isObject(parameters) ? fittedSchema(parameters, schema) : parameters;
    const fitting =
      fits === parameters ? tool : { ...tool, function: { ...tool.function, parameters: fits } };
    return described ? withDescription(fitting) : fitting;
  });
  return fitted.some((tool, index) => tool !== some[index]) ? fitted : some;
}

function withDescription(tool: Tool): Tool {
  const { description, parameters } = tool.function;
  if (description !== undefined && parameters !== undefined) return tool;
  const some = {
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  };
  return { ...tool, function: { ...tool.function, ...some } };
}

/** The names in a row. A name that is not allowed gets the same other name in all rows, if that is not taken. */
class Names {
  readonly #rules: FunctionRules;
  readonly #names = new Set<string>();
  #fitted: Map<string, string> | undefined;
  changed = false;

  constructor(rules: FunctionRules) {
    this.#rules = rules;
  }

  take(name: string): void {
    this.#names.add(name);
    this.changed ||= !this.#rules.name.test(name);
  }

  of(name: string): string {
    this.#fitted ??= this.#fit();
    return this.#fitted.get(name)!;
  }

  #fit(): Map<string, string> {
    const fitted = new Map<string, string>();
    const taken = new Set([...this.#names].filter((name) => this.#rules.name.test(name)));
    for (const name of this.#names) {
      if (taken.has(name)) {
        fitted.set(name, name);
        continue;
      }
      const plain = this.#spelled(name);
      const own =
        plain.length > this.#rules.longestName || taken.has(plain) ? this.#marked(plain, name) : plain;
      taken.add(own);
      fitted.set(name, own);
    }
    return fitted;
  }

  #spelled(name: string): string {
    const spelled = name.replace(this.#rules.forbidden, '_');
    return this.#rules.first?.test(spelled) === false ? `_${spelled}` : spelled;
  }

  /** Different names that would be spelled or begin alike are told apart by a hash. */
  #marked(spelled: string, name: string): string {
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
    return `${spelled.slice(0, this.#rules.longestName - hash.length - 1)}_${hash}`;
  }
}

/** The functions of tools in OpenAI's form. */
export function functionsOf(tools: unknown): JsonObject[] {
  return listOf(tools).flatMap((tool) => (isObject(tool) && isObject(tool.function) ? [tool.function] : []));
}
