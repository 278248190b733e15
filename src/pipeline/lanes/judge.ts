import type { ToolCall } from '../../wire/chat.ts';
import type { Ending } from '../../wire/endings.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody, tellable } from '../../wire/classify.ts';
import { endingError, fails } from '../../wire/endings.ts';
import { areBroken } from '../../wire/json.ts';

/** Throws when a body that came with status 200 holds an error; it counts like the status it stands for. */
export function judge(body: JsonObject, target: string): void {
  const found = classifyBody(body);
  if (!found) return;
  throw new ProxyError(found.fault, `Cannot get an answer from ${target}: ${tellable(found)}`, {
    target,
    upstream: found.upstream,
  });
}

/** Throws when a whole answer ended in a way that makes it none. */
export function judgeEnding(ending: Ending | undefined, target: string): void {
  const error = fails(ending) ? endingError(ending, target) : undefined;
  if (error) throw error;
}

/** Throws when a tool call of an answer that claims to be complete has arguments that cannot be read. */
export function judgeCalls(calls: readonly ToolCall[] | undefined, target: string): void {
  const broken = calls?.find(({ function: fn }) => areBroken(fn.arguments));
  if (!broken) return;
  const state = `the arguments of its call of ${broken.function.name} are no JSON object`;
  throw new ProxyError('failed_generation', `Cannot use the answer of ${target}: ${state}`, { target });
}
