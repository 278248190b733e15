import type { ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Ending } from '../endings.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody } from '../classify.ts';
import { endingOf } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { tiersOf } from '../reported-tiers.ts';
import { encodeOpenaiUsage, openaiUsage, withTiers } from '../usage.ts';
import type { Seal } from '../parts/part.ts';
import { answerOf } from '../parts/message.ts';
import { freeTextArguments } from '../parts/free-text.ts';
import { PartList } from '../parts/part-list.ts';
import { decodeCitation } from './citations.ts';
import { decodeOther } from './hosted.ts';
import { beginMessage } from './paragraphs.ts';
import { withToolWork } from './tool-work.ts';

type Context = Pick<EncodeContext, 'created' | 'newId'>;

/** Calls of tools that the request defines. */
export const CALLS: ReadonlySet<unknown> = new Set(['function_call', 'custom_tool_call']);

/** How a response ended; `undefined` while it is in progress. */
export function responseEnding({ status, incomplete_details: details }: JsonObject): Ending | undefined {
  if (status === 'queued' || status === 'in_progress') return undefined;
  const reason = status === 'incomplete' ? objectOf(details).reason : undefined;
  return endingOf('responses', reason ?? status ?? 'completed');
}

/** The finish reason of a whole response, in chat's words or its own; `null` while it is in progress. */
export function responseFinish(response: JsonObject): string | null {
  const finish = responseEnding(response)?.finish ?? null;
  const called = listOf(response.output).some((item) => CALLS.has(objectOf(item).type));
  return called && finish === 'stop' ? 'tool_calls' : finish;
}

/** The usage in an event: in its response, or beside an error. */
export function eventUsage({ response, usage }: JsonObject): Usage | undefined {
  const whole = objectOf(response);
  return whole.usage ? responseUsage(whole) : openaiUsage(usage);
}

/** The usage in a whole response, and the work of tools that it shows, which is charged as well. */
export function responseUsage(response: JsonObject): Usage | undefined {
  const usage = withTiers(openaiUsage(response.usage), tiersOf(response.service_tier));
  return usage && withToolWork(usage, response);
}

/**
 * Decodes a whole response.
 * @throws ProxyError `malformed` when it is not an answer, or the error that a failed response contains
 */
export function decodeResponse(body: JsonObject, { created, newId }: Context): ChatResponse {
  if (body.status === 'failed') throw failure(body);
  if (!Array.isArray(body.output)) {
    throw new ProxyError('malformed', 'Cannot read the answer: it is not a response');
  }
  const unfinished = body.status === 'queued' || body.status === 'in_progress';
  if (unfinished && body.output.length === 0) {
    throw new ProxyError('malformed', `Cannot read the answer: the response is ${body.status}`);
  }
  const list = new PartList();
  const logprobs: unknown[] = [];
  for (const item of body.output) if (isObject(item)) readItem(item, list, logprobs, newId);
  const spoke = body.output.some((item) => objectOf(item).type === 'message');
  const message = answerOf(list.parts, spoke ? '' : null);
  const usage = responseUsage(body);
  return {
    id: stringOf(body.id) ?? `resp_${newId()}`,
    object: 'chat.completion',
    created: countOf(body.created_at) ?? created,
    model: stringOf(body.model) ?? '',
    choices: [
      {
        index: 0,
        message,
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        finish_reason: responseFinish(body),
      },
    ],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

function readItem(item: JsonObject, list: PartList, logprobs: unknown[], newId: () => string): void {
  if (item.type === 'message') {
    beginMessage(list, item.content);
    for (const part of listOf(item.content)) readPart(objectOf(part), list, logprobs);
  } else if (item.type === 'reasoning') {
    const seal = encryptedBlock(item);
    const text = reasoningText(item);
    if (seal || text !== '') list.add({ type: 'thinking', text, ...(seal ? { seal } : {}) });
  } else if (CALLS.has(item.type)) list.call(decodeCall(item, newId));
  else for (const part of decodeOther(item)) list.add(part);
}

function readPart(part: JsonObject, list: PartList, logprobs: unknown[]): void {
  const before = list.length;
  list.text(stringOf(part.text) ?? '');
  list.annotate(listOf(part.annotations).flatMap((note) => decodeCitation(note, before)));
  list.refusal(stringOf(part.refusal) ?? '');
  for (const each of listOf(part.logprobs)) logprobs.push(each);
}

function failure({ error }: JsonObject): ProxyError {
  const found = isObject(error) ? classifyBody({ error }) : undefined;
  const words = found?.upstream.message || 'the response failed';
  return new ProxyError(found?.fault ?? 'server', `Cannot get an answer: ${words}`, {
    upstream: found?.upstream,
  });
}

/** Reasoning as text: its summary, or its content if the server shows that. */
export function reasoningText(item: JsonObject): string {
  const parts = [...listOf(item.summary), ...listOf(item.content)];
  return parts
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .filter((text) => text !== '')
    .join('\n\n');
}

/** A reasoning item in the form in which it must be sent back; `undefined` if it cannot be. */
export function encryptedBlock(item: JsonObject): Seal | undefined {
  const { id, summary, encrypted_content: content } = item;
  if (typeof content !== 'string' || content === '') return undefined;
  return { type: 'encrypted', id, summary: listOf(summary), encrypted_content: content };
}

export function decodeCall(item: JsonObject, newId: () => string): ToolCall {
  return {
    id: stringOf(item.call_id) || stringOf(item.id) || `call_${newId()}`,
    type: 'function',
    function: { name: stringOf(item.name) ?? '', arguments: argumentsOf(item) },
  };
}

/** A custom tool takes free text; in chat it is a function with one text parameter, as in the client's requests. */
export function argumentsOf({ type, input, arguments: args }: JsonObject): string {
  return type === 'custom_tool_call' ? freeTextArguments(stringOf(input) ?? '') : stringOf(args) || '{}';
}
