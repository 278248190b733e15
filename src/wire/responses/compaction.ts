/**
 * A compacted conversation: a summary that is opaque to clients, like OpenAI's own, so that they send it back
 * unchanged. Compactions made here are decoded here, and work with any provider.
 * @see https://platform.openai.com/docs/api-reference/responses/compact
 */
import type { ChatMessage, ChatRequest, ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { partsOf } from '../parts/message.ts';
import { encodeUsage } from './client-response.ts';
import { MARK, seal, unsealed } from './sealed.ts';

const ASKED = `The conversation below is about to be replaced by a summary of it, and will go on from that alone. Write the summary: what the
user wants, what was decided and why, what was done and found out (with names of files, identifiers, numbers, URLs and exact words
where they matter), what is not finished, and what comes next. Leave out what is of no use any more. Write nothing but the summary.`;

const SUMMARY = 'Summary of the conversation so far:';

/** A request to summarise a conversation, given as a text, so that the tools it mentions need not be declared. */
export function summaryRequest(request: ChatRequest): ChatRequest {
  const texts = request.messages.map(textOfMessage).filter((text) => text !== '');
  const content = `${ASKED}\n\n<conversation>\n${texts.join('\n\n')}\n</conversation>`;
  return { model: request.model, messages: [{ role: 'user', content }] };
}

/** The words of one side, preceded by a line that names it. */
function textOfMessage(message: ChatMessage): string {
  const { role, tool_call_id: id } = message;
  if (role === 'tool') return `[result of ${String(id)}]\n${textOf(message.content)}`;
  if (role !== 'assistant') return `[${role}]\n${textOf(message.content)}`;
  const texts = partsOf(message).flatMap((part) => {
    if (part.type === 'text' || part.type === 'refusal') return [part.text];
    if (part.type === 'call') {
      const { name, arguments: args } = part.call.function;
      return [`(calls ${name} as ${part.call.id}: ${args})`];
    }
    return part.type === 'hosted_call' ? [`(uses ${part.name}: ${part.input})`] : [];
  });
  return texts.length === 0 ? '' : `[assistant]\n${texts.join('\n')}`;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map(
      (part) =>
        stringOf(objectOf(part).text) ??
        `(${stringOf(objectOf(part).type) ?? 'something'} that is not shown)`,
    )
    .join('\n');
}

/** The summary in an answer; `undefined` if it is empty. */
export function summaryIn(answer: ChatResponse): string | undefined {
  const message = answer.choices[0]?.message;
  const text = message ? textOf(message.content).trim() : '';
  return text === '' ? undefined : text;
}

/** A conversation compacted to a summary. @param created seconds since the epoch */
export function compactedResponse(
  text: string,
  usage: ChatResponse['usage'],
  { created, newId }: { created: number; newId: () => string },
): JsonObject {
  const encrypted_content = seal({ type: 'summary', text });
  return {
    id: `resp_${newId()}`,
    object: 'response.compaction',
    created_at: created,
    output: [{ id: `cmp_${newId()}`, type: 'compaction', encrypted_content }],
    usage: encodeUsage(usage),
  };
}

/** The summary in a compaction made here; `undefined` for any other item. */
export function summaryOf(item: JsonObject): string | undefined {
  const { type, encrypted_content: content } = item;
  if (type !== 'compaction' || typeof content !== 'string' || !content.startsWith(MARK)) return undefined;
  const block = unsealed(content);
  return isObject(block) && block.type === 'summary' ? stringOf(block.text) : undefined;
}

/** The summary as a user message for the next model. */
export function summaryText(text: string): string {
  return `${SUMMARY}\n\n${text}`;
}
