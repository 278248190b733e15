import type { Clock } from './clock.ts';
import type { Config } from './config/schema.ts';
import type { Caller } from './limits/caller.ts';
import { UNRESTRICTED } from './limits/caller.ts';
import type { Ledger } from './limits/ledger.ts';
import type { StoredAccount } from './limits/accounts.ts';
import type { ReadRecord } from './logs/record.ts';
import type { Used } from './pipeline/record/exchange-facts.ts';
import type { Turns } from './turns.ts';
import { Accounts } from './limits/accounts.ts';
import { Keeper } from './limits/keeper.ts';
import { ObjectOwners } from './limits/object-owners.ts';
import { unitsOf } from './limits/limit.ts';
import { Limiter } from './limits/limiter.ts';
import { SharedKeeper } from './limits/shared-keeper.ts';
import { ReplicaLedger } from './limits/replicas/replica-ledger.ts';
import { SharedOwners } from './limits/replicas/shared-owners.ts';
import type { SharedState } from './limits/replicas/replica-ledger.ts';
import { MemoryLedger } from './limits/memory-ledger.ts';
import { Refusals } from './limits/refusals.ts';
import { chargedFor, wasSent } from './logs/record.ts';
import { endMs, recordsSince } from './logs/tail.ts';
import { targetNames } from './pipeline/admission.ts';

export interface SpendingOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly onProblem: (message: string) => void;
  /** Who persists usage in `state.directory`: this process alone, or one of several workers, numbered from 1. */
  readonly keeps: 'alone' | number | undefined;
}

/**
 * Log lines may be written slightly out of order, so the lines shortly before the last counted one are read as well.
 */
const LOOK_BACK_MS = 10_000;

/** Counts the usage of callers across all configurations of a process, and persists it where configured. */
export class Spending {
  readonly refusals = new Refusals();
  readonly #warned = new Map<string, number>();
  readonly #options: SpendingOptions;
  #ledger: Ledger;
  #accounts = new Accounts();
  #objects = new ObjectOwners();
  #keeper: Keeper | SharedKeeper | undefined;
  /** Limits that are shared with other machines. */
  readonly #replicas: ReplicaLedger | undefined;
  /** Who had providers store what, as far as other machines know; `undefined` if nothing is shared. */
  readonly sharedOwners: SharedOwners | undefined;

  /** @throws StateInUse, and as the file system does, if there are limits that cannot be persisted */
  constructor(config: Config, options: SpendingOptions) {
    this.#options = options;
    this.#ledger = new MemoryLedger(new Map(), config.limits.max_callers);
    const { redis: url, redis_timeout: timeoutMs, replicas } = config.state;
    const { clock, onProblem } = options;
    const maxMeters = config.limits.max_callers;
    if (url !== undefined && options.keeps !== undefined) {
      this.#replicas = new ReplicaLedger({ url, timeoutMs, replicas, maxMeters, clock, onProblem });
      this.sharedOwners = new SharedOwners({ link: this.#replicas.link, clock });
    }
    this.#open(config);
  }

  /** Applies another configuration. @returns its limits */
  limiter(config: Config): Limiter {
    this.#open(config);
    const { clock, onProblem } = this.#options;
    return new Limiter(config, {
      clock,
      ledger: this.#replicas ?? this.#ledger,
      refused: (limit) => this.refusals.add(limit),
      decided: (decision) => this.refusals.decided(decision),
      warns: (message) => onProblem(`Nearly used up: ${message}`),
      usedUp: (message) => onProblem(`Used up: ${message}`),
      warned: this.#warned,
    });
  }

  /** The state of the server that shares limits; `undefined` if there is none. */
  get shared(): SharedState | undefined {
    return this.#replicas?.state;
  }

  /** Called at the end of a request. */
  used({ id, key, tokens, usd }: Used): void {
    if (key !== null) this.#accounts.add(key, tokens, unitsOf(usd), this.#options.clock.now());
    this.#keeper?.counted(id);
  }

  /** Who had providers store what. */
  get objects(): ObjectOwners {
    return this.#objects;
  }

  accountOf(key: string): StoredAccount {
    return this.#accounts.of(key, this.#options.clock.now());
  }

  /**
   * Counts requests that the previous process answered but did not persist, if it ended without warning: they are in
   * the request log.
   * @param callerOf returns who has the key of this name now
   */
  async recover(
    { logging, providers }: Config,
    limiter: Limiter,
    callerOf: (key: string) => Caller | undefined,
  ): Promise<void> {
    await this.#replicas?.opened();
    const mark = this.#keeper?.crashed;
    if (!mark) return;
    const { enabled, directory } = logging.requests;
    const { worker } = this.#keeper!;
    const records = enabled ? await recordsSince(directory, mark.atMs - LOOK_BACK_MS, worker) : [];
    const known = new Set(mark.lastIds);
    const last = records.findLastIndex(({ id }) => known.has(id));
    const missing = records
      .slice(last + 1)
      .filter((record) => isCharged(record) && (last >= 0 || endMs(record) >= mark.atMs));
    for (const record of missing) this.#count(record, { limiter, callerOf, providers, keptMs: mark.atMs });
    await this.#keeper!.flush();
    this.#options.onProblem(
      `The last run ended without warning: ${missing.length} requests that it had not yet counted were counted from the request log${enabled ? '' : ', which is off'}; those under way at that moment are not counted`,
    );
  }

  async close(): Promise<void> {
    await this.sharedOwners?.flush();
    this.sharedOwners?.close();
    await this.#replicas?.close();
    await this.#keeper?.close();
  }

  #count(record: ReadRecord, { limiter, callerOf, providers, keptMs }: Recovery): void {
    const { id, key, group, model, provider, upstream_model, endpoint, user } = record;
    const { input, output, cost } = chargedFor(record);
    const caller = (key !== null && callerOf(key)) || { ...UNRESTRICTED, key, group };
    const namesOf = (name: string, upstream: string) =>
      targetNames(name, upstream, offeredAs(providers, name, upstream));
    const failed = record.attempt_log
      .filter(({ input_tokens: inputTokens }) => inputTokens !== undefined)
      .flatMap(({ target }) => {
        const end = target.indexOf('/');
        return namesOf(target.slice(0, end), target.slice(end + 1));
      });
    const answered = provider === null || upstream_model === null ? [] : namesOf(provider, upstream_model);
    const targets = [...answered, ...failed];
    const times = { beganMs: Date.parse(record.ts), endedMs: endMs(record), keptMs };
    // With shared limits, the amount that this replica had leased counts as used; workers write limits at once.
    if (!this.#replicas && !this.#keeper!.keepsLimits)
      limiter.recover(
        { caller, endpoint, model, targets, user: user ?? null },
        { input, output, usd: cost, ...times },
      );
    if (wasSent(record.attempt_log)) this.used({ id, key, tokens: input + output, usd: cost ?? 0 });
  }

  #open(config: Config): void {
    const { clock, turns, onProblem, keeps } = this.#options;
    if (this.#keeper) this.#keeper.ledger.maxMeters = config.limits.max_callers;
    if (this.#replicas) this.#replicas.maxMeters = config.limits.max_callers;
    if (this.#keeper || keeps === undefined || !keepsState(config)) return;
    const { directory, flush_interval: flushMs } = config.state;
    const maxMeters = config.limits.max_callers;
    const options = { directory, flushMs, clock, onProblem };
    try {
      this.#keeper =
        keeps === 'alone'
          ? new Keeper({ ...options, maxMeters, turns })
          : new SharedKeeper({ ...options, maxMeters, worker: keeps });
      this.#ledger = this.#keeper.ledger;
      this.#accounts = this.#keeper.accounts;
      this.#keeper.objects.giveBack(this.#objects.take());
      this.#objects = this.#keeper.objects;
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      // Without limits nothing depends on it.
      if (hasLimits(config) && !this.#replicas)
        throw new Error(`Cannot persist usage in ${directory} (state.directory): ${state}`, {
          cause: thrown,
        });
      onProblem(`Cannot persist the usage of keys in ${directory} (state.directory): ${state}`);
    }
  }
}

/** The data needed to count the requests of the previous process. */
interface Recovery {
  readonly limiter: Limiter;
  /** Who has the key of this name now. */
  readonly callerOf: (key: string) => Caller | undefined;
  readonly providers: Config['providers'];
  /** When usage was last persisted, epoch milliseconds. */
  readonly keptMs: number;
}

/** Whether limits count a request: a provider was called, or the proxy accepted feedback. */
function isCharged({ attempt_log: attempts, endpoint, outcome }: ReadRecord): boolean {
  return wasSent(attempts) || (endpoint === 'feedback' && outcome === 'success');
}

/** The name under which a provider's model is offered, if it differs. */
function offeredAs(providers: Config['providers'], name: string, upstream: string): string {
  const models = providers.find((provider) => provider.name === name)?.models ?? [];
  const offer = models.find((model) => typeof model === 'object' && model.upstream === upstream);
  return typeof offer === 'object' ? offer.name : upstream;
}

/** Whether there is anything to persist: usage counted by limits, and usage of keys. */
export function keepsState(config: Config): boolean {
  return (config.auth !== undefined && config.auth !== 'none') || hasLimits(config);
}

/** Whether anything is limited, so that usage must be persisted. */
function hasLimits({ auth, groups, rate_limits: everybody }: Config): boolean {
  const keys = auth === undefined || auth === 'none' ? [] : auth.keys;
  return (
    everybody.length > 0 ||
    keys.some(({ limits }) => limits.length > 0) ||
    Object.values(groups).some(
      ({ limits, each_key, each_user }) => limits.length + each_key.length + each_user.length > 0,
    )
  );
}
