/** What limits know of a request, and which of them apply to it. */
import type { Tiered } from '../wire/reported-tiers.ts';
import type { Units } from '../wire/units.ts';
import type { Caller } from './caller.ts';
import type { Limit } from './limit.ts';
import type { Applying, Parts } from './plan.ts';
import { foldedName } from '../config/globs.ts';

/** The estimated tokens and cost of a request. */
export interface Expected {
  readonly input: number;
  readonly output: number;
  /** Whether the request itself limits its answer. */
  readonly bounded: boolean;
  /** What it is charged for besides tokens; only called if its usage is not reported. */
  readonly units?: () => Units & Tiered;
}

/** The properties of a request that limits use. */
export interface Marks {
  readonly caller: Caller;
  readonly endpoint: string;
  /** The requested model. */
  readonly model: string;
  /** Other names of the possible or actual targets: models of providers, and "provider/model". */
  readonly targets: readonly string[];
  /**
   * Models that the provider may run besides or in place of the requested one, since the request names them. Throws if
   * there are too many.
   */
  readonly others?: (() => readonly string[]) | undefined;
  /** The end user that the client names. */
  readonly user: string | null;
}

/** A request that asks to be admitted. */
export interface Asking extends Marks {
  /** Its origin; only called if a limit is counted by it. */
  readonly address: () => string | undefined;
  /** Only called if a limit needs it. */
  readonly expected: () => Expected;
  /** USD for this many tokens at the most expensive target; `null` if no price is known. */
  readonly price: (input: number, output: number) => number | null;
  /** Whether the price of every target is known. */
  readonly allPriced: () => boolean;
  /** Whether neither its usage nor its model can be determined. */
  readonly untold?: boolean;
}

/** A session that goes on. */
export type Going = Marks & Pick<Asking, 'address'>;

/** Whether a limit covers a request. */
export function applies(limit: Limit, { endpoint, model, targets, others }: Marks): boolean {
  if (!limit.coversEndpoint(endpoint)) return false;
  if (limit.allModels || limit.coversModel(model)) return true;
  // These are asked for first, because it throws if there are too many: later would be too late for a refusal.
  return (others?.().some(limit.coversModel) ?? false) || targets.some(limit.coversModel);
}

/** The values by which limits are counted separately. */
export function partsOf(
  { caller, user, model, targets, endpoint, address }: Marks & Pick<Asking, 'address'>,
  { asksAddress }: Pick<Applying, 'asksAddress'>,
): Parts {
  return {
    key: caller.key ?? '',
    group: caller.group ?? '',
    user: user ?? '',
    address: (asksAddress ? address() : undefined) ?? '',
    // One model may have several names, each of which clients can use.
    model: foldedName(targets[0] ?? model),
    endpoint,
  };
}
