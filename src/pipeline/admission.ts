import type { Steps, Turns } from '../turns.ts';
import type { Access } from '../limits/access.ts';
import type { Caller } from '../limits/caller.ts';
import type { Lease } from '../limits/lease.ts';
import type { Limit } from '../limits/limit.ts';
import type { Instead, Limiter } from '../limits/limiter.ts';
import type { Asking, Expected } from '../limits/asking.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { isCount } from '../wire/endpoints.ts';
import type { Inbound } from './inbound.ts';
import type { ModelRegistry, Resolution } from './routing/models.ts';
import type { Candidate } from './routing/offers.ts';
import type { Usage } from '../wire/usage.ts';
import { expectedUnits, expectedUsage, recordedSeconds } from '../wire/charged.ts';
import { isGlob } from '../config/globs.ts';
import { ProxyError } from '../errors.ts';
import { MAX_TRIES } from '../limits/limiter.ts';
import { plainModel } from '../wire/model-variants.ts';
import { findOtherModels } from '../wire/other-models.ts';
import { KeySearch } from '../wire/json-twice.ts';
import { formFields } from '../wire/multipart.ts';
import { setupOf } from '../wire/realtime/gemini.ts';
import { shownName } from './routing/unknown-model.ts';
import { estimate } from '../wire/estimate.ts';

/** The caller of a request, as limits see it. */
export interface Requester {
  readonly caller: Caller & { readonly access: Access };
  /** The end user that the client names. */
  readonly user: string | null;
  /** The origin: an address or a network. */
  readonly address: () => string | undefined;
}

/** The cost of the estimated usage at a target in USD; `null` if its price is unknown. */
export type EstimatePrice = (candidate: Candidate, usage: Usage) => number | null;

export interface AdmissionDeps {
  readonly registry: ModelRegistry;
  readonly limiter: Limiter;
  readonly turns: Turns;
  readonly price: EstimatePrice;
  /** The assumed tokens of an answer that neither the request nor its model limits. */
  readonly assumedOutput: number;
}

/** An admitted request. */
export interface Admitted extends Resolution {
  readonly lease: Lease | undefined;
  /** The model that answers in place of the requested one, since a limit is used up. */
  readonly instead: string | undefined;
  /** Its estimated usage. */
  readonly expected: () => Expected;
}

const NONE: ReadonlySet<never> = new Set();

/** A decision that waits now and then; it continues with what it waited for. */
type Deciding = Generator<Promise<unknown>, Admitted, unknown>;

/** Finds the targets of a request, and reserves its estimated usage in the caller's limits. */
export class Admission {
  readonly #deps: AdmissionDeps;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /**
   * Answers at once, unless limits are counted elsewhere and there is too little room here.
   * @throws ProxyError if its model is unknown, or a limit has no room
   */
  admit(inbound: Inbound, requester: Requester): Admitted | Promise<Admitted> {
    const steps = this.#steps(inbound, requester);
    const step = steps.next();
    return step.done ? step.value : this.#later(step.value, steps);
  }

  async #later(first: Promise<unknown>, steps: Deciding): Promise<Admitted> {
    let step = steps.next(await first);
    while (!step.done) step = steps.next(await step.value);
    return step.value;
  }

  /** Pauses where there may be something to wait for. */
  *#steps(inbound: Inbound, requester: Requester): Deciding {
    const { registry, limiter, turns } = this.#deps;
    const { endpoint } = inbound;
    let lenient: ReadonlySet<Limit> = NONE;
    let givenUp: ReadonlySet<string> = NONE;
    const { access } = requester.caller;
    let resolution = registry.resolve(inbound.model, endpoint, access);
    if (access.narrowsModels || limiter.looksAtModels(requester.caller)) {
      const rest = refuseTwice(inbound.json?.text);
      const checking = rest && turns.run(rest);
      if (checking) yield checking;
    }
    const others = once(() => othersIn(inbound));
    if (access.narrowsModels && others().length > 0) {
      const providers = resolution.candidates.map(({ provider }) => provider.name);
      refuseOthers(others(), providers, requester.caller);
    }
    let instead: string | undefined;
    for (;;) {
      const { candidates } = resolution;
      const expected = once(() => this.#expected(inbound, candidates));
      const asking = this.#asking({ inbound, requester, candidates, expected, others });
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const wait = limiter.ask(asking, tries, lenient);
        if (!wait || !(yield wait)) break;
      }
      const answer = limiter.admit(asking, lenient);
      if (answer?.kind !== 'instead') {
        const { policy, rule } = resolution;
        return { candidates, policy, rule, lease: answer, instead, expected };
      }
      // Each limit gives way only once, so this terminates.
      lenient = new Set([...lenient, answer.limit]);
      instead = answer.model;
      const next = this.#instead(answer, endpoint, access);
      if (firstOf(next) !== firstOf(resolution)) givenUp = new Set([...givenUp, firstOf(resolution)]);
      // Two limits that redirect to each other's model leave none.
      if (givenUp.has(firstOf(next))) return answer.refuse();
      resolution = next;
    }
  }

  /** The targets of the other model; if there are none, the caller is told about the limit of the requested one. */
  #instead({ model, refuse }: Instead, endpoint: Endpoint, access: Access): Resolution {
    try {
      return this.#deps.registry.resolve(model, endpoint, access);
    } catch {
      return refuse();
    }
  }

  #asking({ inbound, requester, candidates, expected, others }: AskingInput): Asking {
    const { price } = this.#deps;
    const { endpoint, model } = inbound;
    const { caller, user, address } = requester;
    let usageOf: ReturnType<typeof expectedUsage> | undefined;
    return {
      caller,
      endpoint,
      model,
      targets: factsOf(candidates).names,
      others,
      user,
      address,
      expected,
      price(input, output) {
        const usage = (usageOf ??= expectedUsage(inbound))(input, output);
        let dearest: number | null = null;
        for (const candidate of candidates) {
          const usd = price(candidate, usage);
          if (usd !== null && (dearest === null || usd > dearest)) dearest = usd;
        }
        return dearest;
      },
      allPriced() {
        // Counting tokens is free whatever a model costs.
        if (isCount(endpoint)) return true;
        const usage = (usageOf ??= expectedUsage(inbound))(0, 0);
        return candidates.every((candidate) => price(candidate, usage) !== null);
      },
    };
  }

  #expected(inbound: Inbound, candidates: readonly Candidate[]): Expected {
    const { longest } = factsOf(candidates);
    const { endpoint, json } = inbound;
    const seconds = recordedSeconds(inbound);
    const request = { endpoint, body: json?.value, seconds };
    const { input, output, bounded } = estimate(request, longest ?? this.#deps.assumedOutput, longest);
    // No model's longest answer says how long a recording is.
    const known = bounded || (longest !== undefined && seconds === undefined);
    return { input, output, bounded: known, units: () => expectedUnits(inbound) };
  }
}

/** A request, and what was found out about it. */
interface AskingInput {
  readonly inbound: Inbound;
  readonly requester: Requester;
  readonly candidates: readonly Candidate[];
  readonly expected: () => Expected;
  readonly others: () => readonly string[];
}

/** More than any provider takes; each of them is compared with every list and limit. */
export const MAX_OTHERS = 100;

export function tooManyOthers(): ProxyError {
  return new ProxyError(
    'invalid_request',
    `Cannot accept the request: it names more than ${MAX_OTHERS} models besides its own`,
  );
}

/**
 * Refuses a request that has a key twice.
 * @returns the rest of the search if the text is too long for one step; `undefined` if the search is over
 * @throws ProxyError `invalid_request` if it is not certain what the request names, as the rest of the search does
 */
export function refuseTwice(text: string | undefined): Steps<void> | undefined {
  if (text === undefined) return undefined;
  const search = new KeySearch(text);
  if (!search.read()) return restOf(search);
  if (search.found !== undefined) throw givenTwice(search.found);
  return undefined;
}

function* restOf(search: KeySearch): Steps<void> {
  do yield;
  while (!search.read());
  if (search.found !== undefined) throw givenTwice(search.found);
}

function givenTwice(key: string): ProxyError {
  return new ProxyError(
    'invalid_request',
    `Cannot accept the request: "${shownName(key)}" is given twice, so that it is not certain which models it names`,
  );
}

/** @throws ProxyError `invalid_request` if there are too many */
export function othersIn({ endpoint, model, json, bytes, contentType }: Inbound): readonly string[] {
  const names: string[] = [];
  const value = json?.value ?? (isForm(contentType) ? formFields(bytes, contentType) : {});
  // The message that begins a session wraps its settings.
  const body = (endpoint === 'realtime.live' && setupOf(value)) || value;
  findOtherModels(body, model, (name) => {
    if (names.length === MAX_OTHERS) throw tooManyOthers();
    names.push(name);
  });
  return names;
}

function isForm(contentType: string): boolean {
  return contentType.toLowerCase().startsWith('multipart/form-data');
}

/**
 * The provider may run the other models that a request names, so that the caller's lists apply to these as well.
 * @param providers the names of those that may answer
 * @throws ProxyError `not_permitted`
 */
export function refuseOthers(
  others: readonly string[],
  providers: readonly string[],
  { key, access }: Requester['caller'],
): void {
  for (const name of others) {
    const names = [name, ...providers.map((provider) => `${provider}/${name}`)];
    if (names.some(access.allowsModel)) continue;
    throw new ProxyError(
      'not_permitted',
      `Cannot use model "${shownName(name)}", which the request names besides its own: the key "${key}" may not use it`,
    );
  }
}

function firstOf({ candidates: [first] }: Resolution): string {
  return `${first!.provider.name}/${first!.model}`;
}

/** What limits have to know about the targets of a name. */
interface TargetFacts {
  readonly names: readonly string[];
  /** The tokens of the longest answer that any of them can give; `undefined` if that is not known of all. */
  readonly longest: number | undefined;
}

const facts = new WeakMap<readonly Candidate[], TargetFacts>();

/** The registry caches candidates, and so this is cached as well. */
function factsOf(candidates: readonly Candidate[]): TargetFacts {
  let found = facts.get(candidates);
  if (!found) {
    const names = candidates.flatMap(({ provider, model, offer }) =>
      targetNames(provider.name, model, offer.name),
    );
    const longest = candidates.map(({ offer }) => offer.maxOutput);
    const isKnown = longest.every((tokens) => tokens !== undefined);
    found = { names: [...new Set(names)], longest: isKnown ? Math.max(...longest) : undefined };
    facts.set(candidates, found);
  }
  return found;
}

/**
 * The names of a target, each alone and as "provider/model": the upstream name, and the offered name. Which of them a
 * client uses makes no difference to limits. A variant also has the name of its model, first.
 * @param offered a pattern, if the provider's own names are offered
 */
export function targetNames(provider: string, model: string, offered: string): readonly string[] {
  const names = isGlob(offered) || offered === model ? [model] : [model, offered];
  const plain = plainModel(model);
  if (plain !== undefined) names.unshift(plain);
  return names.flatMap((name) => [name, `${provider}/${name}`]);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
