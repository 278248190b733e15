import type { ToolCall } from '../../wire/chat.ts';
import type { Ending } from '../../wire/endings.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody, safeMessage } from '../../wire/classify.ts';
import { errorIn } from '../../wire/error-event.ts';
import { endingError, fails } from '../../wire/endings.ts';
import { areBroken } from '../../wire/json.ts';

/** Throws when a body of status 200 contains an error, which counts like the status it stands for. */
export function judge(body: JsonObject, target: string): void {
  const found = classifyBody(errorIn(body));
  if (!found) return;
  throw new ProxyError(found.fault, `Cannot get an answer from ${target}: ${safeMessage(found)}`, {
    target,
    upstream: found.upstream,
  });
}

/** Throws when the ending of a whole answer is a fault. */
export function judgeEnding(ending: Ending | undefined, target: string): void {
  const error = fails(ending) ? endingError(ending, target) : undefined;
  if (error) throw error;
}

/** How an answer with several choices ended: as the worst of them. */
export function worstEnding(endings: readonly (Ending | undefined)[]): Ending | undefined {
  if (endings.includes(undefined)) return undefined;
  return endings.find((ending) => ending?.fault !== undefined) ?? endings[0];
}

/** Throws when an answer ends without a finish reason within a tool call: it was truncated there. */
export function judgeCut(
  ending: Ending | undefined,
  calls: readonly { readonly function: { readonly arguments: string } }[] | undefined,
  target: string,
): void {
  if (ending || !calls?.some(({ function: fn }) => areBroken(fn.arguments))) return;
  const message = `Cannot complete the answer of ${target}: it ends within a tool call`;
  throw new ProxyError('truncated', message, { target });
}

/** Throws when an answer claims to be complete but has a tool call with invalid arguments. */
export function judgeCalls(calls: readonly ToolCall[] | undefined, target: string): void {
  const broken = calls?.find(({ function: fn }) => areBroken(fn.arguments));
  if (!broken) return;
  const state = `the arguments of its call of ${broken.function.name} are not a JSON object`;
  throw new ProxyError('failed_generation', `Cannot use the answer of ${target}: ${state}`, { target });
}
