/** OpenAI chat messages, which half of all formats consist of. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Message } from '../conversation/conversation.ts';
import type { RenderOptions } from './format.ts';
import type { ImageRules } from './images.ts';
import { RejectError } from '../errors.ts';
import { contentText } from '../conversation/conversation.ts';
import { boundedImages, namedImage } from './images.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { onlyResults } from './results-in-text.ts';
import { callsOf, mergedTurns, textOnly, withReasoning } from './turns.ts';

/** The features of chat messages that a loader supports, beyond roles and content. */
export interface ChatRules {
  readonly arguments: 'string' | 'object';
  /** How an assistant turn that must not be trained is marked. */
  readonly mark?: 'weight' | 'train';
  /** The images that user messages may contain; none if omitted. */
  readonly images?: ImageRules;
  /** Whether refusals have a field of their own. */
  readonly refusals?: true;
  /** Whether messages may have names. */
  readonly names?: true;
  /** Whether a result names its function, in addition to its call. */
  readonly toolNames?: true;
  /** Whether reasoning has a field of its own; otherwise it can only be part of the text. */
  readonly reasoningField?: true;
  /** Whether chat templates look into texts: for reasoning in an answer, and for a tool's result in a user message. */
  readonly searchesText?: true;
}

/** @throws RejectError when the messages violate the rules */
export function chatMessages(
  messages: readonly Message[],
  options: RenderOptions,
  rules: ChatRules,
): JsonObject[] {
  const named = messages.map((message) =>
    typeof message.content === 'string'
      ? message
      : ({ ...message, content: message.content.map(namedImage) } as Message),
  );
  if (rules.images) boundedImages(named, rules.images);
  else textOnly(named);
  if (rules.searchesText && onlyResults(userTexts(named))) throw new RejectError('reserved_words');
  // An id may be reused in a later turn, for another function.
  const called = new Map<string, string>();
  const rendered = (options.mergeTurns ? mergedTurns(named) : named).map((message) => {
    if (message.role !== 'assistant') return renderInput(message, rules, called);
    for (const { id, function: target } of message.tool_calls ?? []) called.set(id, target.name);
    return renderAssistant(message, options, rules);
  });
  const pictured = rendered.some(({ content }) => Array.isArray(content));
  return pictured && rules.images?.allParts ? rendered.map(inParts) : rendered;
}

function userTexts(messages: readonly Message[]): string[] {
  return messages.flatMap(({ role, content }) => (role === 'user' ? [contentText(content) ?? ''] : []));
}

function inParts(message: JsonObject): JsonObject {
  const { content } = message;
  if (typeof content !== 'string' || content === '') return message;
  return { ...message, content: [{ type: 'text', text: content }] };
}

/** A message that the model reads. @param called names of functions by the ids of the preceding calls */
function renderInput(
  message: Exclude<Message, AssistantMessage>,
  rules: ChatRules,
  called: ReadonlyMap<string, string>,
): JsonObject {
  const { role, content, name } = message;
  const named = rules.names && name !== undefined;
  if (role !== 'tool') return named ? { role, content, name } : { role, content };
  const { tool_call_id: id } = message;
  if (rules.toolNames) return { role, tool_call_id: id, name: called.get(id), content };
  return named ? { role, tool_call_id: id, name, content } : { role, tool_call_id: id, content };
}

function renderAssistant(message: AssistantMessage, options: RenderOptions, rules: ChatRules): JsonObject {
  const { refusal, content, name } = message;
  if (refusal !== undefined && !rules.refusals) throw new RejectError('refusal');
  const calls = callsOf(message, options.toolArguments ?? rules.arguments);
  const rendered: JsonObject = { role: 'assistant' };
  // Field by field, since this runs for every answer: copying objects took a thirtieth of an export.
  if (refusal === undefined || content !== '') addContent(rendered, message, options, rules);
  if (refusal !== undefined) rendered.refusal = refusal;
  if (rules.names && name !== undefined) rendered.name = name;
  if (calls) rendered.tool_calls = calls;
  if (message.untrained && rules.mark) rendered[rules.mark] = rules.mark === 'weight' ? 0 : false;
  return rendered;
}

function addContent(
  rendered: JsonObject,
  message: AssistantMessage,
  options: RenderOptions,
  { reasoningField, searchesText }: ChatRules,
): void {
  if (reasoningField) Object.assign(rendered, withReasoning(message, options));
  else rendered.content = textWithReasoning(message, options);
  if (searchesText) Object.assign(rendered, noReasoning(message, options));
}

/**
 * An empty field for reasoning beside a text that mentions its end tag. The templates of Qwen and GLM would take what is
 * before the tag for reasoning, and drop it.
 */
function noReasoning(
  { content, reasoning }: AssistantMessage,
  { reasoning: mode }: RenderOptions,
): JsonObject {
  const written = reasoning !== undefined && mode !== 'drop';
  if (written || !content.includes('</think>')) return {};
  return { [typeof mode === 'object' ? mode.field : 'reasoning_content']: '' };
}
