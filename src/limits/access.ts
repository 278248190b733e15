import type { GroupConfig } from '../config/schema/groups.ts';
import type { Caller } from './caller.ts';
import { globMatcher, isGlob } from '../config/globs.ts';

/**
 * What a caller may use: the lists of its key, of its group and of all parent groups apply together, so each can only
 * narrow.
 */
export interface Access {
  /** Whether it may request a model under this name, as clients write it. */
  readonly allowsModel: (name: string) => boolean;
  /** Whether it may use an endpoint, such as `images.edits`. */
  readonly allowsEndpoint: (name: string) => boolean;
  /** Whether some list names an endpoint explicitly, and all lists allow it. */
  readonly namesEndpoint: (name: string) => boolean;
  /** Whether there is any model list. */
  readonly narrowsModels: boolean;
  /** Whether the provider with this name may answer it. */
  readonly allowsProvider: (name: string) => boolean;
  /** Whether there is any provider list. */
  readonly narrowsProviders: boolean;
}

type Lists = Partial<Pick<Caller, 'models' | 'endpoints' | 'providers'>>;
type Groups = Readonly<Record<string, Pick<GroupConfig, 'parent' | 'models' | 'endpoints' | 'providers'>>>;

/**
 * The number of names cached for one list of one caller, and their maximum length, characters: clients can send any
 * name.
 */
const MAX_REMEMBERED = 100;
const MAX_NAME = 200;

/** @param groups by name, without cycles */
export function accessOf(caller: Lists & Pick<Caller, 'group'>, groups: Groups): Access {
  const all: readonly Lists[] = [caller, ...groupsOf(caller.group, groups).map(({ group }) => group)];
  const providers = listed(all.map((lists) => lists.providers));
  const models = listed(all.map((lists) => lists.models));
  const endpoints = listed(all.map((lists) => lists.endpoints));
  const allowsEndpoint = allowing(endpoints);
  return {
    allowsModel: allowing(models),
    allowsEndpoint,
    namesEndpoint: (name) => allowsEndpoint(name) && endpoints.some((list) => list.includes(name)),
    narrowsModels: models.length > 0,
    allowsProvider: allowing(providers),
    narrowsProviders: providers.length > 0,
  };
}

/** A group and its ancestors, nearest first. */
export function groupsOf<Group extends { readonly parent?: string | undefined }>(
  name: string | undefined,
  groups: Readonly<Record<string, Group>>,
): { readonly name: string; readonly group: Group }[] {
  const group = name !== undefined && Object.hasOwn(groups, name) ? groups[name] : undefined;
  return name !== undefined && group ? [{ name, group }, ...groupsOf(group.parent, groups)] : [];
}

type List = readonly string[];

/** An omitted list allows everything. */
function listed(lists: readonly (List | undefined)[]): List[] {
  return lists.filter((list) => list !== undefined);
}

/** Whether each list has a match for a name. Patterns are compiled on first use, since many keys are never used. */
function allowing(lists: readonly List[]): (name: string) => boolean {
  if (lists.length === 0) return () => true;
  const remembered = new Map<string, boolean>();
  let tests: readonly ((name: string) => boolean)[] | undefined;
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    tests ??= lists.map(fitting);
    const allowed = tests.every((fits) => fits(name));
    if (name.length > MAX_NAME) return allowed;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(name, allowed);
    return allowed;
  };
}

function fitting(list: List): (name: string) => boolean {
  const exact = new Set(list.filter((each) => !isGlob(each)));
  const patterns = list.filter(isGlob).map(globMatcher);
  return (name) => exact.has(name) || patterns.some((matches) => matches(name));
}
