/** Messages of OpenAI's Responses: what a model says on the way to its answer, and the answer. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import { reasoningText } from '../../wire/responses/response.ts';

/**
 * Items in which each turn of the model has one text: its final answer if it has one, otherwise all its messages. What
 * it said before a final answer (`phase: commentary`) becomes part of its reasoning.
 * @param items `input` of a request, or `output` of a response
 * @see https://developers.openai.com/api/reference/resources/responses `phase` of an output message
 */
export function answersApart(items: readonly unknown[]): unknown[] {
  const apart: unknown[] = [];
  let turn: JsonObject[] = [];
  const close = () => {
    apart.push(...spokenTurn(turn));
    turn = [];
  };
  for (const item of items) {
    if (isObject(item) && isModels(item)) turn.push(item);
    else {
      close();
      apart.push(item);
    }
  }
  close();
  return apart;
}

/** Whether a response has neither an answer nor a call yet, but only what the model says before. */
export function isCommentaryOnly(output: readonly unknown[]): boolean {
  const items = output.filter(isObject);
  return items.some(isCommentary) && items.every((item) => isCommentary(item) || item.type === 'reasoning');
}

/** Whether the model made an item; the others end its turn. */
function isModels({ type, role }: JsonObject): boolean {
  const kind = stringOf(type) ?? 'message';
  return kind === 'message' ? role === 'assistant' : !/_output$|^compaction$/.test(kind);
}

function spokenTurn(turn: readonly JsonObject[]): JsonObject[] {
  if (turn.filter(isMessage).length < 2) return [...turn];
  const answered = turn.some((item) => isMessage(item) && item.phase === 'final_answer');
  return answered && turn.some(isCommentary) ? withCommentaryThought(turn) : [...turn];
}

function isMessage({ type }: JsonObject): boolean {
  return (type ?? 'message') === 'message';
}

/** OpenAI's own library takes any phase but `final_answer` for one before the answer. */
function isCommentary(item: JsonObject): boolean {
  return isMessage(item) && (item.phase ?? 'final_answer') !== 'final_answer';
}

/** One item of reasoning, where the first one was, in place of reasoning and commentary. */
function withCommentaryThought(turn: readonly JsonObject[]): JsonObject[] {
  const isThought = (item: JsonObject) => item.type === 'reasoning' || isCommentary(item);
  const texts = turn
    .filter(isThought)
    .map((item) => (isMessage(item) ? messageText(item) : reasoningText(item)));
  const summary = texts.filter(Boolean).map((text) => ({ type: 'summary_text', text }));
  const first = turn.findIndex(isThought);
  return turn.flatMap((item, index) => {
    if (!isThought(item)) return [item];
    return index === first ? [{ type: 'reasoning', summary }] : [];
  });
}

/** The text of a message, without refusals. */
function messageText({ content }: JsonObject): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
