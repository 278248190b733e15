import type { ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { isObject, listOf } from '../json.ts';
import { named } from '../words.ts';
import {
  fieldOf,
  nameIn,
  objectIn,
  objectsIn,
  textIn,
  textsIn,
  unknownIn,
  wordIn,
  wrong,
} from './client-check.ts';
import { jsonSchemaOf } from './client-schema.ts';

/** The supported fields of a declaration; `response` and `behavior` have no equivalent elsewhere. */
const DECLARED: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);

/** Google's own tools, by their names in other APIs. */
const HOSTED: Readonly<Record<string, string>> = {
  googleSearch: 'web_search',
  googleSearchRetrieval: 'web_search',
  enterpriseWebSearch: 'web_search',
  codeExecution: 'code_execution',
  urlContext: 'web_fetch',
};
const KNOWN: ReadonlySet<string> = new Set(['functionDeclarations', ...Object.keys(HOSTED)]);

/**
 * Decodes `tools` and `toolConfig`. Settings without a counterpart are added to `dropped`.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeTools(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = objectsIn(body, 'tools', '');
  for (const tool of given) for (const name of unknownIn(tool, KNOWN)) dropped.add(`tools.${name}`);
  const tools = given.flatMap((tool, index) =>
    objectsIn(tool, 'functionDeclarations', `tools[${index}]`).map((declaration, place) =>
      decodeDeclaration(declaration, `tools[${index}].functionDeclarations[${place}]`, dropped),
    ),
  );
  const hosted = given.flatMap((tool) => hostedIn(tool, dropped));
  const { allowed, ...choice } = decodeChoice(objectIn(body, 'toolConfig', ''), dropped);
  requireDeclared(tools, allowed, 'toolConfig.functionCallingConfig.allowedFunctionNames');
  // Few APIs can restrict calls to some functions: those that may not be called are left out.
  const offered = allowed ? tools.filter(({ function: { name } }) => allowed.includes(name)) : tools;
  return {
    ...(offered.length > 0 ? { tools: offered, ...choice } : {}),
    ...(hosted.length > 0 ? { hosted_tools: hosted } : {}),
  };
}

/**
 * Of functions that may be called, at least one must be declared: otherwise all tools would be left out in silence.
 * @throws ProxyError `invalid_request`
 */
export function requireDeclared(
  tools: readonly ChatTool[],
  allowed: readonly string[] | undefined,
  at: string,
): void {
  if (!allowed || tools.some(({ function: { name } }) => allowed.includes(name))) return;
  throw wrong(at, `no function is declared by the name ${allowed.map(named).join(' or ')}`);
}

function decodeDeclaration(declaration: JsonObject, at: string, dropped: Set<string>): ChatTool {
  for (const name of unknownIn(declaration, DECLARED)) dropped.add(`functionDeclarations.${name}`);
  const description = textIn(declaration, 'description', at);
  const own = objectIn(declaration, 'parameters', at);
  const schema = objectIn(declaration, 'parametersJsonSchema', at) ?? (own && jsonSchemaOf(own));
  return {
    type: 'function',
    function: {
      name: nameIn(declaration, 'name', at),
      ...(description === undefined ? {} : { description }),
      parameters: schema ?? { type: 'object', properties: {} },
    },
  };
}

function hostedIn(tool: JsonObject, dropped: Set<string>): HostedTool[] {
  return Object.entries(HOSTED).flatMap(([own, name]) => {
    const value = fieldOf(tool, own);
    if (!isObject(value)) return [];
    const blocked = listOf(fieldOf(value, 'excludeDomains'));
    for (const option of unknownIn(value, SEARCHING)) dropped.add(`tools.${own}.${option}`);
    return [{ name, word: `tools.${own}`, options: blocked.length > 0 ? { blocked_domains: blocked } : {} }];
  });
}

const SEARCHING: ReadonlySet<string> = new Set(['excludeDomains']);

const CONFIGURED: ReadonlySet<string> = new Set(['functionCallingConfig']);

interface Choice extends Pick<ChatRequest, 'tool_choice'> {
  /** The only functions that may be called, if there are several. */
  readonly allowed?: readonly string[];
}

function decodeChoice(config: JsonObject | undefined, dropped: Set<string>): Choice {
  if (!config) return {};
  for (const name of unknownIn(config, CONFIGURED)) dropped.add(`toolConfig.${name}`);
  const at = 'toolConfig.functionCallingConfig';
  const calling = objectIn(config, 'functionCallingConfig', 'toolConfig');
  if (!calling) return {};
  const mode = wordIn(calling, 'mode', at) ?? 'AUTO';
  const names = textsIn(calling, 'allowedFunctionNames', at);
  const allowed = names.length > 0 ? { allowed: names } : {};
  switch (mode) {
    case 'NONE':
      return { tool_choice: 'none' };
    case 'ANY': {
      const [only, second] = names;
      if (only === undefined || second !== undefined) return { tool_choice: 'required', ...allowed };
      return { tool_choice: { type: 'function', function: { name: only } } };
    }
    // The mode VALIDATED: calls must match their declaration, or the model answers in text. Other APIs lack the first
    // part.
    case 'AUTO':
    case 'VALIDATED':
    case 'MODE_UNSPECIFIED':
      return { tool_choice: 'auto', ...allowed };
    default:
      throw wrong(`${at}.mode`, `expected AUTO, ANY, NONE or VALIDATED, and not ${named(mode)}`);
  }
}
