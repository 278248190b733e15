import type { JsonObject } from '../../../src/wire/json.ts';
import type { Problems } from './frames.ts';
import { interactionAssembler } from '../../../src/wire/interactions/assemble.ts';
import { isObject } from '../../../src/wire/json.ts';
import { interactionProblems } from '../published/interactions.ts';
import { framesOf } from './frames.ts';

/** Checks the stream of an interaction against its grammar and schema: returns the interaction, and the problems. */
export function checkInteractionStream(sse: string): { value: JsonObject; problems: Problems } {
  const problems: Problems = [];
  const assembler = interactionAssembler();
  let open: unknown;
  let steps = 0;
  let state: 'before' | 'begun' | 'over' | 'failed' | 'done' = 'before';
  for (const { name, value, data } of framesOf(sse, problems)) {
    if (data === '[DONE]') {
      if (name !== 'done' || state !== 'over') problems.push(`[DONE] comes as "${name}" when it is ${state}`);
      state = 'done';
      continue;
    }
    problems.push(...interactionProblems('event', value));
    if (!value) continue;
    const { event_type: type, index } = value;
    if (name !== type) problems.push(`an event of type ${String(type)} is named "${name}"`);
    if (state === 'over' || state === 'failed' || state === 'done')
      problems.push(`something is said behind the end: ${data}`);
    if (type === 'error') state = 'failed';
    else if (type === 'interaction.created') {
      if (state !== 'before') problems.push('it begins twice');
      state = 'begun';
    } else if (state === 'before') problems.push(`it begins with ${String(type)}`);
    if (type === 'step.start') {
      if (open !== undefined) problems.push(`step ${String(open)} is not stopped`);
      if (index !== steps) problems.push(`step ${steps} has index ${String(index)}`);
      steps += 1;
      open = index;
    } else if (type === 'step.delta' || type === 'step.stop') {
      if (index !== open) problems.push(`${type} of step ${String(index)}, which is not open`);
      if (type === 'step.stop') open = undefined;
    } else if (type === 'interaction.completed') {
      if (open !== undefined) problems.push(`it ends within step ${String(open)}`);
      state = 'over';
    }
    if (isObject(value)) assembler.push(value);
  }
  if (state !== 'done' && state !== 'failed') problems.push(`it stops when it is ${state}`);
  return { value: assembler.result(), problems };
}
