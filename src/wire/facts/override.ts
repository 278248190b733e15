import type { JsonObject } from '../json.ts';

/** What the operator changes in every request, in the words of the provider's own protocol. */
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
  const dropped = drop.filter((name) => body[name] !== undefined);
  const renamed = Object.entries(rename).filter(([name]) => body[name] !== undefined);
  if (dropped.length + renamed.length + Object.keys(set).length === 0) return undefined;
  const changed = { ...body };
  for (const name of dropped) delete changed[name];
  for (const [name, other] of renamed) {
    if (changed[name] === undefined) continue;
    changed[other] = changed[name];
    delete changed[name];
  }
  return { body: { ...changed, ...set }, dropped };
}
