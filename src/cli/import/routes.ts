/** Builds routes from deployments and their fallbacks. */
import type { Draft, DraftTarget } from './draft.ts';

/** A model of a provider, under a name that clients use. */
export interface Deployment extends DraftTarget {
  /** Lower values come first. */
  readonly order?: number | undefined;
}

/** A name and its targets. */
export interface Group {
  readonly name: string;
  readonly deployments: readonly Deployment[];
  /** The names of other groups that are used when this one fails, best first. */
  readonly fallbacks: readonly string[];
  readonly contentPolicy?: boolean;
  readonly notes?: readonly string[];
}

/** Writes the routes of all groups. A name that a provider already serves under the same name needs none. */
export function addRoutes(draft: Draft, given: readonly Group[]): void {
  const groups = given.map((group) => ({ ...group, deployments: merged(group.deployments) }));
  const known = new Map(groups.map((group) => [group.name, group]));
  // The group itself without its fallbacks: routes that refer to each other would never end.
  const own = new Map<string, string>();
  for (const group of groups) own.set(group.name, ownTarget(draft, group, needsPool(group, groups)));
  for (const { name, deployments, fallbacks, contentPolicy, notes = [] } of groups) {
    const missing = fallbacks.filter((each) => !known.has(each));
    const following = [...new Set(fallbacks)].flatMap((each) => own.get(each) ?? []);
    const remarks = [
      ...new Set(notes),
      ...missing.map((each) => `Its fallback ${each} is not a model in the file.`),
    ];
    const policy = contentPolicy ? { content_policy: 'failover' } : {};
    if (following.length > 0) {
      const targets = [own.get(name)!, ...following].map((target) => ({ target }));
      draft.routes.set(name, { targets, weighted: false, policy, notes: remarks });
    } else if (!servedAs(draft, name, deployments) || remarks.length > 0)
      draft.routes.set(name, { ...shape(deployments), policy, notes: remarks });
  }
}

/** Deployments that differ in nothing that counts here become one, with the weight of all. */
function merged(deployments: readonly Deployment[]): readonly Deployment[] {
  const found = new Map<string, Deployment>();
  for (const deployment of deployments) {
    const id = JSON.stringify([deployment.target, deployment.order]);
    const before = found.get(id);
    const weight = before ? (before.weight ?? 1) + (deployment.weight ?? 1) : deployment.weight;
    found.set(id, { ...deployment, weight });
  }
  return [...found.values()];
}

/** Whether another group's route refers to this one, so that it needs a name without its fallbacks. */
function needsPool({ name, deployments, fallbacks }: Group, groups: readonly Group[]): boolean {
  if (deployments.length < 2) return false;
  return fallbacks.length > 0 || groups.some((other) => other.fallbacks.includes(name));
}

function ownTarget(draft: Draft, { name, deployments }: Group, pooled: boolean): string {
  if (deployments.length === 1) return deployments[0]!.target;
  if (!pooled) return name;
  const pool = `${name}-pool`;
  draft.routes.set(pool, { ...shape(deployments), policy: {}, notes: [] });
  return pool;
}

/** Ordered if they have an order, otherwise weighted. */
function shape(deployments: readonly Deployment[]) {
  const ordered = new Set(deployments.map(({ order }) => order)).size > 1;
  const sorted = deployments.toSorted((a, b) => (a.order ?? Infinity) - (b.order ?? Infinity));
  const targets = (ordered ? sorted : deployments).map(({ target, weight }) => ({ target, weight }));
  return { targets, weighted: !ordered && targets.length > 1 };
}

/** Whether clients can use the name without a route: exactly one provider serves a model of that name. */
function servedAs({ providers }: Draft, name: string, deployments: readonly Deployment[]): boolean {
  const [only, ...others] = deployments;
  if (!only || others.length > 0) return false;
  if (only.target === name) return true;
  const serving = providers.filter(({ models }) => models.has(name));
  return serving.length === 1 && only.target === `${serving[0]!.name}/${name}`;
}
