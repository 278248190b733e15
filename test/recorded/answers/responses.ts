import type { Json } from '../read/json.ts';
import type { Choice } from './said.ts';
import { isObject, numberOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, Said, unknownKind } from './said.ts';

/** Reads a response. */
export function responsesWhole(value: Json): Said {
  const said = new Said();
  take(said, value, objectsOf(value.output));
  return said;
}

/**
 * Reads the events of a stream: the last one contains the complete response, except that some servers omit its items.
 */
export function responsesStream(events: readonly Json[]): Said {
  const said = new Said();
  const items: Json[] = [];
  const texts: string[] = [];
  for (const event of events) {
    const type = String(event.type);
    if (type === 'error') said.fail(event.error ?? event);
    else if (type === 'response.failed') said.fail(objectOf(event.response).error);
    else if (type === 'response.output_item.done')
      items[numberOf(event.output_index) ?? items.length] = objectOf(event.item);
    else if (type === 'response.output_text.delta') texts.push(String(event.delta));
    else if (type === 'response.completed' || type === 'response.incomplete') {
      const response = objectOf(event.response);
      const last = objectsOf(response.output);
      take(said, response, last.length > 0 ? last : items.filter(Boolean));
    }
  }
  const { parts } = said.choice();
  if (!parts.some(({ kind }) => kind === 'text')) addText(parts, 'text', texts.join(''));
  return said;
}

function take(said: Said, value: Json, items: readonly Json[]): void {
  if (isObject(value.error)) said.fail(value.error);
  const choice = said.choice();
  choice.role = 'assistant';
  for (const item of items) begin(choice, item);
  const { reason } = objectOf(value.incomplete_details);
  choice.finish = `${String(value.status)} ${String(reason ?? '')}`.trim();
  said.usage = isObject(value.usage) ? value.usage : undefined;
  said.ended = value.status === 'completed' || value.status === 'incomplete';
}

/** Items of tools that the provider runs, or that a client-side program runs in a special form. */
const RAN =
  /^(?:web_search|file_search|code_interpreter|mcp|computer|local_shell|shell|apply_patch|tool_search)_call(?:_output)?$|^mcp_(?:list_tools|approval_request)$|^(?:search|fetch_url|finance|people)_results?$|^tool_search_output$|^program(?:_output)?$|^compaction$/;

function begin(choice: Choice, item: Json): void {
  const { parts } = choice;
  const { type } = item;
  if (type === 'message') {
    // Commentary and the final answer are paragraphs of one text.
    if (item.phase !== undefined && parts.at(-1)?.kind === 'text') addText(parts, 'text', '\n\n');
    for (const part of objectsOf(item.content)) contentPart(choice, part);
  } else if (type === 'reasoning') {
    const thoughts = [...objectsOf(item.summary), ...objectsOf(item.content)];
    for (const { text } of thoughts) addText(parts, 'thinking', text);
  } else if (type === 'function_call')
    addCall(parts, item.call_id, item.name, stringOf(item.arguments) ?? '');
  else if (type === 'custom_tool_call') addCall(parts, item.call_id, item.name, stringOf(item.input) ?? '');
  else if (type === 'image_generation_call') parts.push({ kind: 'image', data: String(item.result ?? '') });
  else if (RAN.test(String(type))) {
    parts.push({ kind: 'ran', name: String(type) });
  } else unknownKind('Responses', type);
}

function contentPart(choice: Choice, part: Json): void {
  if (part.type === 'refusal') return addText(choice.parts, 'refusal', part.refusal);
  if (part.type !== 'output_text' && part.type !== 'text') return unknownKind('Responses', part.type);
  addText(choice.parts, 'text', part.text);
  addSources(choice, ...objectsOf(part.annotations).map(({ url }) => url));
  for (const { token, logprob } of objectsOf(part.logprobs)) {
    choice.logprobs.push([String(token), Number(logprob)]);
  }
}
