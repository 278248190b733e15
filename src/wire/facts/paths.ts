/** Paths within a request, such as `reasoning.effort` or `messages[].name`, and changes at them. */
import type { JsonObject } from '../json.ts';
import { isObject, objectOf } from '../json.ts';

/** A field, and whether the rest of the path applies to each of its elements. */
export interface Step {
  readonly name: string;
  readonly each: boolean;
}

export type Path = readonly Step[];

/** Dots separate field names; a dot within a name is escaped by a backslash. */
const STEP = /((?:\\[\\.[]|[^\\.[\]])+)(\[\])?(?:\.|$)/y;

/** @returns `undefined` for an invalid path */
export function parsePath(text: string): Path | undefined {
  const steps: Step[] = [];
  let goesOn = false;
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length) {
    const found = STEP.exec(text);
    if (!found) return undefined;
    const [whole, name = '', list = ''] = found;
    steps.push({ name: name.replaceAll(/\\(.)/g, '$1'), each: list !== '' });
    goesOn = whole.length > name.length + list.length;
  }
  return steps.length > 0 && !goesOn ? steps : undefined;
}

/** The parsed paths; their number is bounded by configurations and tables. */
const READ = new Map<string, Path>();
const MAX_READ = 1_000;

/** @throws Error for an invalid path; configurations are validated before */
function pathOf(text: string): Path {
  const known = READ.get(text);
  if (known) return known;
  const path = parsePath(text);
  if (!path) throw new Error(`Cannot read ${text}: it is not a path of fields`);
  if (READ.size >= MAX_READ) READ.clear();
  READ.set(text, path);
  return path;
}

/** The value at a path of at most two names, without a list. */
export function valueAt(body: JsonObject, place: string): unknown {
  const [first = '', second] = place.split('.');
  return second === undefined ? body[first] : objectOf(body[first])[second];
}

/** A change at the end of a path: takes the object that contains the last field, and returns its replacement. */
type Change = (owner: JsonObject, name: string) => JsonObject;

/** An object with a change at every match of a path; the same object if nothing changes. */
function changedAt(value: JsonObject, [step, ...rest]: Path, change: Change): JsonObject {
  if (!step) return value;
  const { name, each } = step;
  if (rest.length === 0 && !each) return change(value, name);
  const inner = value[name];
  if (!each) {
    if (!isObject(inner)) return value;
    const changed = changedAt(inner, rest, change);
    return changed === inner ? value : { ...value, [name]: changed };
  }
  if (!Array.isArray(inner) || rest.length === 0) return value;
  const changed = inner.map((element) => (isObject(element) ? changedAt(element, rest, change) : element));
  return changed.every((element, at) => element === inner[at]) ? value : { ...value, [name]: changed };
}

/** Removes the fields at a path. */
export function withoutAt(value: JsonObject, path: string): JsonObject {
  return changedAt(value, pathOf(path), (owner, name) => {
    if (owner[name] === undefined) return owner;
    const { [name]: _, ...others } = owner;
    return others;
  });
}

/** Sets the value at a path; missing objects on the way are created, elements of lists are not. */
export function withAt(value: JsonObject, path: string, put: unknown): JsonObject {
  const steps = pathOf(path);
  const made = (owner: JsonObject, at: number): JsonObject => {
    const { name, each } = steps[at]!;
    const inner = owner[name];
    if (each) {
      if (!Array.isArray(inner)) return owner;
      const elements = inner.map((element) => (isObject(element) ? made(element, at + 1) : element));
      return { ...owner, [name]: elements };
    }
    if (at === steps.length - 1) return { ...owner, [name]: put };
    return { ...owner, [name]: made(isObject(inner) ? inner : {}, at + 1) };
  };
  return made(value, 0);
}

/**
 * Moves a value to another path. After the last list in the path, which both have in common, it is moved within each
 * element.
 */
export function renamedAt(value: JsonObject, from: string, to: string): JsonObject {
  const [source, target] = [pathOf(from), pathOf(to)];
  const shared = source.findLastIndex(({ each }) => each) + 1;
  const move = (owner: JsonObject): JsonObject => {
    const [rest, other] = [source.slice(shared), target.slice(shared)];
    let found: unknown;
    const without = changedAt(owner, rest, (holder, name) => {
      if (holder[name] === undefined) return holder;
      found = holder[name];
      const { [name]: _, ...others } = holder;
      return others;
    });
    return found === undefined ? owner : withAt(without, textOf(other), found);
  };
  if (shared === 0) return move(value);
  return changedEach(value, source.slice(0, shared), move);
}

function changedEach(
  value: JsonObject,
  [step, ...rest]: Path,
  change: (element: JsonObject) => JsonObject,
): JsonObject {
  const { name, each } = step!;
  const inner = value[name];
  const deeper = (element: JsonObject) =>
    rest.length === 0 ? change(element) : changedEach(element, rest, change);
  if (each && Array.isArray(inner)) {
    const changed = inner.map((element) => (isObject(element) ? deeper(element) : element));
    return changed.every((element, at) => element === inner[at]) ? value : { ...value, [name]: changed };
  }
  if (each || !isObject(inner)) return value;
  const changed = deeper(inner);
  return changed === inner ? value : { ...value, [name]: changed };
}

function textOf(path: Path): string {
  return path
    .map(({ name, each }) => name.replaceAll(/[\\.[]/g, String.raw`\$&`) + (each ? '[]' : ''))
    .join('.');
}

/** Why one path cannot be renamed to another; `undefined` if it can. */
export function renameProblem(from: Path, to: Path): string | undefined {
  const lists = (path: Path) => path.findLastIndex(({ each }) => each) + 1;
  const shared = lists(from);
  const same =
    lists(to) === shared &&
    from.slice(0, shared).every(({ name, each }, at) => to[at]?.name === name && to[at].each === each);
  return same ? undefined : 'both must be the same up to the last []';
}
