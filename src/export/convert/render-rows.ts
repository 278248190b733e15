/** Renders rows that had to wait until all was known that decides on them. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Conversation, Example } from '../conversation/conversation.ts';
import type { RejectReason } from '../errors.ts';
import type { TokenCounter } from '../conversation/fit.ts';
import type { Plan } from './plan.ts';
import { FORMATS } from '../render/all.ts';
import { answerOf } from '../conversation/messages.ts';
import { mustBeDefined } from '../conversation/tools.ts';
import { RejectError } from '../errors.ts';
import { redactConversation } from '../conversation/redact.ts';
import { Redactor } from '../../redact/redactor.ts';
import { toLine } from '../conversation/json.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';
import { reasonOf } from './converter.ts';
import { fit } from '../conversation/fit.ts';

/** One row to be made. */
export interface RenderTask {
  /** Which of the given examples it is made of, by number. */
  readonly example: number;
  /** Which answers of its prompt are not trained, by number. */
  readonly untrained?: readonly number[];
  /** The correction that replaces its answer: text, or a message of the assistant. */
  readonly correction?: string | JsonObject;
  /** The example whose answer is the worse one; its own number where the correction is better than what it corrects. */
  readonly rejected?: number;
  /** The answer is no row when it says just this: what corrects it then finds nothing wrong. */
  readonly unlike?: string | JsonObject;
  readonly label?: boolean;
  /** The score that feedback gave the answer, from -1 to 1. */
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
  /** The size of the row of each task in bytes, or the reason why it has none. */
  readonly results: readonly (number | RejectReason)[];
  /** Hits of redaction by kind. */
  readonly redacted: ReadonlyMap<string, number>;
}

/** Renders examples. The same in every thread. @param count where rows must not be too long */
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
  // As the answer of the same conversation, so that the same value gets the same tag.
  const worse =
    rejected && redactor
      ? redactConversation({ ...conversation, answer: rejected }, redactor).answer
      : rejected;
  return FORMATS[plan.format].render(
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

/** Whether two answers say and call the same, whatever was thought and whatever ids calls have. */
function saysSame(a: AssistantMessage, b: AssistantMessage): boolean {
  const said = ({ content, refusal, tool_calls: calls }: AssistantMessage) => [
    content.trim(),
    refusal ?? '',
    (calls ?? []).map(({ function: { name, arguments: args } }) => [name, JSON.parse(args) as unknown]),
  ];
  return Bun.deepEquals(said(a), said(b));
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

/** Adds the score of feedback to the metadata of a row, where it has any, and to the example itself for `rft`. */
function scored({ metadata }: Example, score: number): Pick<Example, 'metadata' | 'score'> {
  return { ...(metadata ? { metadata: { ...metadata, score } } : {}), score };
}
