import type { JsonObject } from '../json.ts';
import { renamedAt, withAt, withoutAt } from './paths.ts';

/**
 * The operator's changes to every request, in terms of the provider's own protocol. Fields are given by path:
 * `reasoning.effort`, `messages[].name`.
 */
export interface Override {
  /** Fields that are set, whatever the client sends. */
  readonly set?: JsonObject | undefined;
  readonly drop?: readonly string[] | undefined;
  readonly rename?: Readonly<Record<string, string>> | undefined;
}

/**
 * The changed body of a request, and what was left out. Fields are first dropped, then renamed, then set.
 * @returns `undefined` when no change is needed
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
