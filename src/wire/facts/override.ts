import type { JsonObject } from '../json.ts';
import { renamedAt, withAt, withoutAt } from './paths.ts';

/**
 * What the operator changes in every request, in the words of the provider's own protocol. Fields are named by their places:
 * `reasoning.effort`, `messages[].name`.
 */
export interface Override {
  /** Fields that it carries, whatever the client says. */
  readonly set?: JsonObject | undefined;
  readonly drop?: readonly string[] | undefined;
  readonly rename?: Readonly<Record<string, string>> | undefined;
}

/**
 * A request's body as the operator wants it, and what was left out. First fields are dropped, then renamed, then set.
 * @returns `undefined` when it serves as it is
 */
export function applyOverride(
  body: JsonObject,
  { set = {}, drop = [], rename = {} }: Override,
): { readonly body: JsonObject; readonly dropped: readonly string[] } | undefined {
  const dropped: string[] = [];
  let changed = body;
  for (const place of drop) {
    const without = withoutAt(changed, place);
    if (without !== changed) dropped.push(place);
    changed = without;
  }
  for (const [from, to] of Object.entries(rename)) changed = renamedAt(changed, from, to);
  for (const [place, value] of Object.entries(set)) changed = withAt(changed, place, value);
  return changed === body ? undefined : { body: changed, dropped };
}
