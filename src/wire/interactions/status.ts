/** How an interaction stands, and why the answer in it ended. */
import type { JsonObject } from '../json.ts';
import { isImproper } from '../endings.ts';
import { listOf, objectOf, stringOf } from '../json.ts';

/** Statuses that are an end, in chat's words; those that are a fault are told as they are. */
const FINISHES: Readonly<Record<string, string>> = {
  completed: 'stop',
  requires_action: 'tool_calls',
  incomplete: 'length',
  budget_exceeded: 'length',
  // It goes on in the background: whoever asked for that has all that there is to be had.
  in_progress: 'stop',
  queued: 'stop',
};

/** Why an answer ended; `null` where it says nothing of it. @param called whether a function is called in it */
export function finishOf(status: unknown, called: boolean): string | null {
  const word = stringOf(status);
  if (word === undefined || word === '') return null;
  const finish = Object.hasOwn(FINISHES, word) ? FINISHES[word]! : word;
  return finish === 'stop' && called ? 'tool_calls' : finish;
}

/** The status that stands for an end. @param finish in chat's words */
export function statusFor(finish: string | null): string {
  if (finish === null || finish === 'stop') return 'completed';
  if (finish === 'tool_calls') return 'requires_action';
  // What was filtered, and what nobody knows, is not all that there would be.
  return finish === 'length' || finish === 'content_filter' || isImproper(finish)
    ? 'incomplete'
    : 'completed';
}

/** Whether functions of the client's are called in these steps, and not answered yet. */
export function callsIn(steps: unknown): boolean {
  return listOf(steps).some((step) => (objectOf(step) as JsonObject).type === 'function_call');
}
