import type { JsonObject } from '../../wire/json.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody, tellable } from '../../wire/classify.ts';

/** Throws when a body that came with status 200 holds an error; it counts like the status it stands for. */
export function judge(body: JsonObject, target: string): void {
  const found = classifyBody(body);
  if (!found) return;
  throw new ProxyError(found.fault, `Cannot get an answer from ${target}: ${tellable(found)}`, {
    target,
    upstream: found.upstream,
  });
}
