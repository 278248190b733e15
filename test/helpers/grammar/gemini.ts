import type { JsonObject } from '../../../src/wire/json.ts';
import type { Problems } from './frames.ts';
import { listOf, objectOf } from '../../../src/wire/json.ts';
import { contentAssembler } from '../../../src/wire/gemini/assemble.ts';
import { framesOf } from './frames.ts';
import { geminiProblems } from '../published/gemini.ts';

/** Checks a Gemini stream against its grammar and schema: returns the answer that it makes, and the problems. */
export function checkGeminiStream(sse: string): { value: JsonObject; problems: Problems } {
  const problems: Problems = [];
  const assembler = contentAssembler();
  const ended = new Set<unknown>();
  let name: string | undefined;
  let failed = false;
  for (const { name: event, value, data } of framesOf(sse, problems)) {
    if (event !== undefined) problems.push(`an event is named "${event}"`);
    if (failed) problems.push(`something is said behind the error: ${data}`);
    failed ||= value?.error !== undefined;
    problems.push(...geminiProblems(failed ? 'error' : 'answer', value));
    if (!value || failed) continue;
    for (const { index, finishReason } of listOf(value.candidates).map(objectOf)) {
      if (ended.has(index)) problems.push(`candidate ${String(index)} goes on behind its end`);
      if (finishReason !== undefined) ended.add(index);
    }
    const id = `${String(value.responseId)} ${String(value.modelVersion)}`;
    if (name !== undefined && name !== id) problems.push(`its events are of ${name} and of ${id}`);
    name = id;
    assembler.push(value);
  }
  if (!failed && !assembler.finished) problems.push('it ends without a finish reason');
  return { value: assembler.result(), problems };
}
