/** The status of an interaction, and its finish reason. */
import type { JsonObject } from '../json.ts';
import { isImproper } from '../endings.ts';
import { listOf, objectOf, stringOf } from '../json.ts';

/** Final statuses as finish reasons in chat's words; those that are faults are kept unchanged. */
const FINISHES: Readonly<Record<string, string>> = {
  completed: 'stop',
  requires_action: 'tool_calls',
  incomplete: 'length',
  budget_exceeded: 'length',
  // It continues in the background: a client that requested this has everything available.
  in_progress: 'stop',
  queued: 'stop',
};

/** The finish reason of an answer; `null` if there is none. @param called whether it calls a function */
export function finishOf(status: unknown, called: boolean): string | null {
  const word = stringOf(status);
  if (word === undefined || word === '') return null;
  const finish = Object.hasOwn(FINISHES, word) ? FINISHES[word]! : word;
  return finish === 'stop' && called ? 'tool_calls' : finish;
}

/** The status for a finish reason. @param finish in chat's words */
export function statusFor(finish: string | null): string {
  if (finish === null || finish === 'stop') return 'completed';
  if (finish === 'tool_calls') return 'requires_action';
  // A filtered answer, or one with an unknown finish reason, is incomplete.
  return finish === 'length' || finish === 'content_filter' || isImproper(finish)
    ? 'incomplete'
    : 'completed';
}

/** Whether these steps contain calls of the client's functions without results. */
export function callsIn(steps: unknown): boolean {
  return listOf(steps).some((step) => (objectOf(step) as JsonObject).type === 'function_call');
}
