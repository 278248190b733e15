import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { AnswerOptions } from './client-answer.ts';
import type { Piece } from './client-pieces.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { canonicalChunks } from '../parts/chunks.ts';
import { Lost } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { endingOf, headOf } from './client-answer.ts';
import { Pieces } from './client-pieces.ts';

/**
 * Encodes a chat answer as an interaction. If there are several choices, the first is used.
 * @see https://ai.google.dev/api/interactions-api
 */
export function encodeInteraction(
  answer: ChatResponse,
  options: AnswerOptions,
  lost = new Lost(),
): JsonObject {
  const choices = listOf(answer.choices).filter(isObject);
  const choice = choices[0] ?? {};
  lost.add('choice', choices.length - 1);
  if (objectOf(choice.logprobs).content) lost.once('logprobs');
  const pieces = new Pieces({ thoughts: options.thoughts, newId: options.newId, lost });
  const only = { ...answer, choices: [{ ...choice, message: objectOf(choice.message) }] };
  let finish: string | null = null;
  for (const chunk of canonicalChunks(only as unknown as ChatResponse)) {
    for (const { delta, finish_reason } of chunk.choices) {
      pieces.read(delta);
      finish ??= finish_reason;
    }
  }
  pieces.end();
  const head = headOf(answer, options);
  const { status, ...ending } = endingOf(finish, openaiUsage(answer.usage), head);
  return { ...head, status, steps: stepsOf(pieces.take()), ...ending };
}

/** Combines consecutive pieces to steps. */
function stepsOf(pieces: readonly Piece[]): JsonObject[] {
  const steps: JsonObject[] = [];
  const last = (type: string): JsonObject => {
    const known = steps.at(-1);
    if (known?.type === type && known.signature === undefined) return known;
    const made: JsonObject = { type };
    steps.push(made);
    return made;
  };
  for (const piece of pieces) {
    if (piece.kind === 'call')
      steps.push({ type: 'function_call', id: piece.id, name: piece.name, arguments: piece.args });
    else if (piece.kind === 'signature') last('thought').signature = piece.signature;
    else if (piece.kind === 'summary') addText(last('thought'), 'summary', piece.text);
    else if (piece.kind === 'text') addText(last('model_output'), 'content', piece.text);
    else if (piece.kind === 'content') listIn(last('model_output'), 'content').push(piece.content);
    else annotate(last('model_output'), piece.annotation);
  }
  return steps;
}

function listIn(step: JsonObject, name: string): JsonObject[] {
  return (step[name] ??= []) as JsonObject[];
}

function addText(step: JsonObject, name: 'summary' | 'content', text: string): void {
  const list = listIn(step, name);
  const last = list.at(-1);
  if (last?.type === 'text') last.text = `${stringOf(last.text) ?? ''}${text}`;
  else list.push({ type: 'text', text });
}

function annotate(step: JsonObject, annotation: JsonObject): void {
  const list = listIn(step, 'content');
  const text = list.findLast(({ type }) => type === 'text');
  if (text) listIn(text, 'annotations').push(annotation);
  else list.push({ type: 'text', text: '', annotations: [annotation] });
}
