/** Tools that Anthropic runs: `server_tool_use` and the blocks with their results. */
import type { JsonObject } from '../json.ts';
import type { HostedCallPart, HostedResultPart, Part, Source } from '../parts/part.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';

const CALLS: ReadonlySet<unknown> = new Set(['server_tool_use', 'mcp_tool_use']);
const RESULT = /_tool_result$/;

/** Whether a block is a call of a tool that the provider runs. */
export function isHostedCall({ type }: JsonObject): boolean {
  return CALLS.has(type);
}

/** Such a call, its result, or a file that it created, as a part; `undefined` for other blocks. */
export function decodeHosted(block: JsonObject): Part[] {
  const { type, id, name, input, tool_use_id: of, content, file_id: file } = block;
  const native = { protocol: 'messages', value: block } as const;
  if (isHostedCall(block)) {
    const given = jsonTextOf(isObject(input) ? input : {});
    return [
      { type: 'hosted_call', id: stringOf(id) ?? '', name: stringOf(name) ?? '', input: given, native },
    ];
  }
  if (type === 'container_upload' && typeof file === 'string') return [{ type: 'file', id: file }];
  if (typeof type !== 'string' || type === 'tool_result' || !RESULT.test(type)) return [];
  const output = outputOf(content);
  return [
    {
      type: 'hosted_result',
      id: stringOf(of) ?? '',
      name: type.replace(RESULT, ''),
      sources: sourcesOf(content),
      ...(output === '' ? {} : { output }),
      native,
    },
  ];
}

function sourcesOf(content: unknown): Source[] {
  return (Array.isArray(content) ? content : [content])
    .filter(isObject)
    .flatMap(({ url, title }) => (typeof url === 'string' ? [{ url, title: stringOf(title) ?? '' }] : []));
}

/** Other content of an answer, such as a compacted conversation. */
export function decodeOther(block: JsonObject): Part[] {
  const known = decodeHosted(block);
  const type = stringOf(block.type);
  if (known.length > 0 || type === undefined || type === 'fallback') return known;
  const native = { protocol: 'messages', value: block } as const;
  return [{ type: 'hosted_call', id: stringOf(block.id) ?? type, name: type, input: '{}', native }];
}

/** The output of a program. */
function outputOf(content: unknown): string {
  const { stdout, stderr } = objectOf(content);
  return [stringOf(stdout), stringOf(stderr)].filter(Boolean).join('\n');
}

/** The prefix of ids for calls from other providers, by which Anthropic distinguishes them from its own. */
export const FOREIGN_CALL = 'srvtoolu_llmproxy_';

/** The tools that Anthropic's clients know; others have no block. */
const KNOWN: ReadonlySet<string> = new Set(['web_search', 'web_fetch', 'code_execution']);

/** The caller of a tool: the model itself rather than a program that it wrote. */
export const CALLER = { type: 'direct' } as const;

/** A call of a hosted tool, or its result, as a block; `undefined` for a tool without one. */
export function encodeHosted(part: HostedCallPart | HostedResultPart): JsonObject[] {
  if (part.native?.protocol === 'messages') return [part.native.value];
  if (!KNOWN.has(part.name)) return [];
  const id = part.id.startsWith('srvtoolu_') ? part.id : FOREIGN_CALL + part.id.replace(/\W/g, '_');
  if (part.type === 'hosted_call') {
    return [{ type: 'server_tool_use', id, name: part.name, input: parsed(part.input), caller: CALLER }];
  }
  if (part.name === 'code_execution') {
    const result = {
      type: 'code_execution_result',
      stdout: part.output ?? '',
      stderr: '',
      return_code: 0,
      content: [],
    };
    return [{ type: 'code_execution_tool_result', tool_use_id: id, content: result }];
  }
  const content = part.sources.map(({ url, title }) => ({
    type: 'web_search_result',
    url,
    title,
    encrypted_content: '',
    page_age: null,
  }));
  return [{ type: 'web_search_tool_result', tool_use_id: id, content, caller: CALLER }];
}

function parsed(text: string): JsonObject {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}
