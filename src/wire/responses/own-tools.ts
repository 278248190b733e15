/**
 * Tools that OpenAI defines and the client runs: for other providers they are functions, whose calls are converted back
 * to the items that the client knows.
 */
import type { ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../json.ts';

interface OwnTool {
  /** The prefix of its call ids. */
  readonly prefix: string;
  /** What the model is told about it, unless the client does. */
  readonly description: string;
  readonly parameters: JsonObject;
  /** Encodes a call as the client's item. @param given its arguments */
  readonly fields: (given: JsonObject) => JsonObject;
}

const TEXTS = { type: 'array', items: { type: 'string' } };
const MILLISECONDS = { type: 'integer', description: 'Milliseconds.' };

const OWN_TOOLS: Readonly<Record<string, OwnTool>> = {
  shell: {
    prefix: 'sh',
    description: 'Runs commands in a shell, each by itself, and gives what they print.',
    parameters: {
      type: 'object',
      properties: { commands: TEXTS, timeout_ms: MILLISECONDS, max_output_length: { type: 'integer' } },
      required: ['commands'],
    },
    fields: ({ commands, timeout_ms, max_output_length }) => ({
      action: {
        commands: textsOf(commands),
        timeout_ms: numberOf(timeout_ms) ?? null,
        max_output_length: numberOf(max_output_length) ?? null,
      },
      environment: null,
    }),
  },
  local_shell: {
    prefix: 'lsh',
    description: 'Runs a command, given as a list of its words, and gives what it prints.',
    parameters: {
      type: 'object',
      properties: { command: TEXTS, working_directory: { type: 'string' }, timeout_ms: MILLISECONDS },
      required: ['command'],
    },
    fields: ({ command, env, working_directory, timeout_ms }) => ({
      action: {
        type: 'exec',
        command: textsOf(command),
        env: isObject(env) ? env : {},
        ...(typeof working_directory === 'string' ? { working_directory } : {}),
        ...(typeof timeout_ms === 'number' ? { timeout_ms } : {}),
      },
    }),
  },
  apply_patch: {
    prefix: 'apc',
    description:
      'Creates, updates or deletes one file. The diff is in the V4A format: lines begin with a space, + or -, and @@ begins a section.',
    parameters: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
        path: { type: 'string' },
        diff: { type: 'string', description: 'Left out where a file is deleted.' },
      },
      required: ['type', 'path'],
    },
    fields: ({ type, path, diff }) => ({
      operation: {
        type: stringOf(type) ?? 'update_file',
        path: stringOf(path) ?? '',
        ...(type === 'delete_file' ? {} : { diff: stringOf(diff) ?? '' }),
      },
    }),
  },
  tool_search: {
    prefix: 'tsc',
    description: 'Searches for further tools, which can be called afterwards.',
    parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
    fields: (given) => ({ execution: 'client', arguments: given }),
  },
};

function toolOf(name: string): OwnTool | undefined {
  return Object.hasOwn(OWN_TOOLS, name) ? OWN_TOOLS[name] : undefined;
}

/** Such a tool as a function; `undefined` for others, and for one that OpenAI runs itself. */
export function ownTool(tool: JsonObject): ChatTool | undefined {
  const name = stringOf(tool.type) ?? '';
  const known = toolOf(name);
  if (!known || !isLocal(name, tool)) return undefined;
  const description = stringOf(tool.description) ?? known.description;
  const parameters = isObject(tool.parameters) ? tool.parameters : known.parameters;
  return { type: 'function', function: { name, description, parameters } };
}

function isLocal(name: string, { environment, execution }: JsonObject): boolean {
  const { type: place } = objectOf(environment);
  // OpenAI searches among the tools of the request itself, all of which other providers receive anyway.
  return name === 'tool_search' ? execution === 'client' : place === undefined || place === 'local';
}

/** The prefix of the id for one of its calls. */
export function ownPrefix(name: string): string {
  return toolOf(name)?.prefix ?? 'fc';
}

/** A call as an item. @param text its arguments, as far as received */
export function ownCallItem(name: string, call: JsonObject, text: string): JsonObject {
  const fields = toolOf(name)?.fields(objectOf(parseJson(text))) ?? {};
  // A patch cannot express that the call was truncated.
  const status = name === 'apply_patch' && call.status === 'incomplete' ? 'in_progress' : call.status;
  return { ...call, type: `${name}_call`, status, ...fields };
}

function textsOf(value: unknown): string[] {
  return listOf(value).flatMap((each) => stringOf(each) ?? []);
}
