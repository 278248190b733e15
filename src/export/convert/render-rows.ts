/** Renders rows that had to wait until everything that affects them was known. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Conversation, Example } from '../conversation/conversation.ts';
import type { RejectReason } from '../errors.ts';
import type { TokenCounter } from '../conversation/fit.ts';
import type { Plan } from './plan.ts';
import { renderRow } from '../render/row.ts';
import { answerOf } from '../conversation/messages.ts';
import { mustBeDefined } from '../conversation/tools.ts';
import { RejectError } from '../errors.ts';
import { redactConversation } from '../conversation/redact.ts';
import { Redactor } from '../../redact/redactor.ts';
import { toLine } from '../conversation/json.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';
import { reasonOf } from './converter.ts';
import { fit } from '../conversation/fit.ts';

/** One row to render. */
export interface RenderTask {
  /** The index of its example. */
  readonly example: number;
  /** The indexes of the answers in its prompt that are not trained. */
  readonly untrained?: readonly number[];
  /** The correction that replaces its answer: text, or an assistant message. */
  readonly correction?: string | JsonObject;
  /** The example with the worse answer; the same index if the correction is better than what it corrects. */
  readonly rejected?: number;
  /** There is no row if the answer equals this: the correction changed nothing then. */
  readonly unlike?: string | JsonObject;
  readonly label?: boolean;
  /** The feedback score of the answer, from -1 to 1. */
  readonly score?: number;
}

export interface RenderJob {
  /** The examples, each with its line end. */
  readonly text: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
  readonly tasks: readonly RenderTask[];
}

export interface Rendered {
  /** The rows, each with its line end. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** The size of each task's row in bytes, or the reason why there is none. */
  readonly results: readonly (number | RejectReason)[];
  /** The number of redactions by kind. */
  readonly redacted: ReadonlyMap<string, number>;
}

/** Renders examples. The same code runs in every thread. @param count if rows must not be too long */
export function renderRows(plan: Plan, { text, ends, tasks }: RenderJob, count?: TokenCounter): Rendered {
  const redactor = plan.redact && plan.unrendered ? new Redactor(plan.redact) : undefined;
  const buffer = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const exampleAt = (number: number) =>
    parseLongNumbers(buffer.toString('utf8', ends[number - 1] ?? 0, ends[number])) as Example;
  const rows: Buffer[] = [];
  const results = tasks.map((task) => {
    try {
      const row = Buffer.from(toLine(rowOf(plan, task, exampleAt, { redactor, count })));
      rows.push(row);
      return row.length;
    } catch (error) {
      return reasonOf(error);
    }
  });
  const redacted = new Map(redactor?.counts);
  return { text: new Uint8Array(Buffer.concat(rows)), results, redacted };
}

function rowOf(
  plan: Plan,
  task: RenderTask,
  exampleAt: (number: number) => Example,
  { redactor, count }: { readonly redactor: Redactor | undefined; readonly count: TokenCounter | undefined },
): JsonObject {
  const example = exampleAt(task.example);
  const rejected = task.rejected === undefined ? undefined : exampleAt(task.rejected).conversation.answer;
  const { label, unlike } = task;
  let conversation = marked(example.conversation, task.untrained ?? []);
  if (task.correction !== undefined) {
    conversation = { ...conversation, answer: corrected(plan, task.correction, conversation) };
    if (count) ({ conversation } = fit(conversation, plan, count, []));
  }
  const { answer } = conversation;
  if (unlike !== undefined && saysSame(answer, corrected(plan, unlike, conversation)))
    throw new RejectError('no_judgement');
  redactor?.fresh();
  const redacted = redactor ? redactConversation(conversation, redactor) : conversation;
  // As the answer of the same conversation, so that a value gets the same tag.
  const worse =
    rejected && redactor
      ? redactConversation({ ...conversation, answer: rejected }, redactor).answer
      : rejected;
  return renderRow(
    plan.format,
    {
      ...example,
      conversation: redacted,
      ...(worse === undefined ? {} : { rejected: worse }),
      ...(label === undefined ? {} : { label }),
      ...(task.score === undefined ? {} : scored(example, task.score)),
    },
    plan.render,
  );
}

function corrected(
  { content }: Plan,
  correction: string | JsonObject,
  { tools }: Conversation,
): AssistantMessage {
  const answer = answerOf(typeof correction === 'string' ? { content: correction } : correction, content);
  mustBeDefined(answer, tools);
  return answer;
}

/** Whether two answers have the same text and calls, regardless of reasoning and call ids. */
function saysSame(a: AssistantMessage, b: AssistantMessage): boolean {
  const contentOf = ({ content, refusal, tool_calls: calls }: AssistantMessage) => [
    content.trim(),
    refusal ?? '',
    (calls ?? []).map(({ function: { name, arguments: args } }) => [name, JSON.parse(args) as unknown]),
  ];
  return Bun.deepEquals(contentOf(a), contentOf(b));
}

function marked(conversation: Conversation, untrained: readonly number[]): Conversation {
  if (untrained.length === 0) return conversation;
  let answer = 0;
  const prompt = conversation.prompt.map((message) =>
    message.role === 'assistant' && untrained.includes(answer++)
      ? { ...message, untrained: true as const }
      : message,
  );
  return { ...conversation, prompt };
}

/** Adds the feedback score to the metadata of a row, if it has any, and to the example itself for `rft`. */
function scored({ metadata }: Example, score: number): Pick<Example, 'metadata' | 'score'> {
  return { ...(metadata ? { metadata: { ...metadata, score } } : {}), score };
}
