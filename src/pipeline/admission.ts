import type { Access } from '../limits/access.ts';
import type { Caller } from '../limits/caller.ts';
import type { Lease } from '../limits/lease.ts';
import type { Limit } from '../limits/limit.ts';
import type { Asking, Expected, Limiter } from '../limits/limiter.ts';
import type { Inbound } from './inbound.ts';
import type { Candidate, ModelRegistry, Resolution } from './models.ts';
import type { Usage } from '../wire/usage.ts';
import { expectedUsage } from '../wire/charged.ts';
import { estimate } from '../wire/estimate.ts';

/** Who sends a request, as limits see it. */
export interface Requester {
  readonly caller: Caller & { readonly access: Access };
  /** The end user whom the client names. */
  readonly user: string | null;
  /** Where it comes from: an address or a network. */
  readonly address: () => string | undefined;
}

/** USD for what a target is expected to be used for; `null` where its price is unknown. */
export type EstimatePrice = (candidate: Candidate, usage: Usage) => number | null;

export interface AdmissionDeps {
  readonly registry: ModelRegistry;
  readonly limiter: Limiter;
  readonly price: EstimatePrice;
  /** Tokens of an answer that neither the request nor its model bounds. */
  readonly assumedOutput: number;
}

/** A request that may be sent. */
export interface Admitted extends Resolution {
  readonly lease: Lease | undefined;
  /** The model that answers in place of the one that was asked for, since a limit is used up. */
  readonly instead: string | undefined;
  /** What it is expected to use. */
  readonly expected: () => Expected;
}

/** Finds where a request may go, and takes what it is expected to use of the limits of who sends it. */
export class Admission {
  readonly #deps: AdmissionDeps;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** @throws ProxyError where its model is not known, or a limit has no room */
  admit(inbound: Inbound, requester: Requester): Admitted {
    const { registry, limiter } = this.#deps;
    const { endpoint } = inbound;
    const lenient = new Set<Limit>();
    const { access } = requester.caller;
    let resolution = registry.resolve(inbound.model, endpoint, access);
    let instead: string | undefined;
    for (;;) {
      const { candidates } = resolution;
      const expected = once(() => this.#expected(inbound, candidates));
      const answer = limiter.admit(this.#asking(inbound, requester, candidates, expected), lenient);
      if (answer?.kind !== 'instead') return { ...resolution, lease: answer, instead, expected };
      // A limit gives way once, so this comes to an end.
      lenient.add(answer.limit);
      instead = answer.model;
      resolution = registry.resolve(answer.model, endpoint, access);
    }
  }

  #asking(
    inbound: Inbound,
    { caller, user, address }: Requester,
    candidates: readonly Candidate[],
    expected: () => Expected,
  ): Asking {
    const { price } = this.#deps;
    const { endpoint, model } = inbound;
    return {
      caller,
      endpoint,
      model,
      targets: namesOf(candidates),
      user,
      address,
      expected,
      price(input, output) {
        const usage = expectedUsage(inbound, input, output);
        const known = candidates.map((candidate) => price(candidate, usage)).filter((usd) => usd !== null);
        return known.length === 0 ? null : Math.max(...known);
      },
      allPriced() {
        const usage = expectedUsage(inbound, 0, 0);
        return candidates.every((candidate) => price(candidate, usage) !== null);
      },
    };
  }

  #expected({ endpoint, json }: Inbound, candidates: readonly Candidate[]): Expected {
    const longest = candidates.map(({ offer }) => offer.maxOutput);
    const known = longest.every((tokens) => tokens !== undefined);
    const assumed = known ? Math.max(...longest) : this.#deps.assumedOutput;
    const { input, output, bounded } = estimate(endpoint, json?.value, assumed);
    return { input, output, bounded: bounded || known };
  }
}

const names = new WeakMap<readonly Candidate[], readonly string[]>();

/** The names of targets by which limits know them; candidates are remembered by the registry, and so are these. */
function namesOf(candidates: readonly Candidate[]): readonly string[] {
  let found = names.get(candidates);
  if (!found) {
    found = [...new Set(candidates.flatMap(({ provider, model }) => targetNames(provider.name, model)))];
    names.set(candidates, found);
  }
  return found;
}

/** The names of a target: its model, and "provider/model". */
export function targetNames(provider: string, model: string): readonly [string, string] {
  return [model, `${provider}/${model}`];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
