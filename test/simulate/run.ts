import type { Config } from '../../src/config/schema.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import type { Proxy } from '../../src/proxy.ts';
import type { Turns } from '../../src/turns.ts';
import type { ServerBindings } from '../../src/server/context.ts';
import type { Book, SimRequest } from './book.ts';
import type { Arrival } from './traffic.ts';
import type { Violation } from './violations.ts';
import type { World } from './world.ts';
import { atOnce } from '../../src/turns.ts';
import { schema } from '../../src/config/schema.ts';
import { createProxy } from '../../src/proxy.ts';
import { tagsOf } from './book.ts';
import { CLASSES } from './classes.ts';
import { visit } from './clients.ts';
import { VirtualClock } from './clock.ts';
import { Dice } from './dice.ts';
import { EventLog } from './events.ts';
import { Model } from './model.ts';
import { Upstream } from './providers.ts';
import { drawTraffic } from './traffic.ts';
import { configOf, drawWorld, HOUR_MS } from './world.ts';

export interface RunOptions {
  readonly hours?: number;
  /** Turns of the event loop without activity before time advances. */
  readonly quietTurns?: number;
  /** Called with every event as a line. */
  readonly tell?: (line: string) => void;
}

export interface Report {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** The hash of all events: the same for the same seed. */
  readonly hash: string;
  readonly requests: number;
  readonly calls: number;
  /** Records by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Calls by the fault they met. */
  readonly met: Book['met'];
}

/** The time after the last request in which every stream ends, in milliseconds. */
const AFTERWARDS_MS = 4_000_000;

/** The time after the end of an answer in which its record and the ends of all calls follow, in milliseconds. */
const SETTLED_MS = 6_000;

/** Pauses would depend on the speed of the machine, so two runs would differ. */
const NEVER_PAUSING: Turns = {
  run: async (steps) => atOnce(steps),
  pause: () => undefined,
};

/** Counts immediately; a thread would take real time, which the simulated clock does not wait for. */
const countTokens = (texts: readonly string[]) => Promise.resolve(Math.ceil(texts.join('').length / 4));

const BINDINGS: ServerBindings = {
  server: { timeout: () => undefined, requestIP: () => null },
};

/**
 * Runs one world through a proxy with a simulated clock, simulated randomness and a simulated transport, and checks the
 * rules.
 */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Report> {
  await (loaded ??= load());
  const run = new Run(drawWorld(seed, options.hours ?? 1), options);
  const onRejection = (reason: unknown) => run.defect(`an unhandled rejection: ${String(reason)}`);
  process.on('unhandledRejection', onRejection);
  try {
    return await run.all();
  } finally {
    process.off('unhandledRejection', onRejection);
  }
}

let loaded: Promise<void> | undefined;

/** Loads lazy modules in advance: loading takes real time, which a simulated clock cannot wait for. */
async function load(): Promise<void> {
  const target = { name: 'p', type: 'openai-compatible', base_url: 'http://p.test', models: ['m'] } as const;
  const proxy = createProxy(
    schema.parse({
      providers: [target],
      health: { probe: 'never' },
      logging: { requests: { enabled: false } },
    }),
    { env: {} },
  );
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'How many tokens?' }] });
  const headers = { 'content-type': 'application/json' };
  const count = new Request('http://proxy.test/v1/messages/count_tokens', { method: 'POST', headers, body });
  await (await proxy.fetch(count, BINDINGS)).text();
  await proxy.close();
}

class Run {
  readonly #world: World;
  readonly #clock: VirtualClock;
  readonly #events: EventLog;
  readonly #model: Model;
  readonly #proxy: Proxy;
  readonly #config: Config;
  readonly #records = new Map<string, LogRecord[]>();
  readonly #outcomes: Record<string, number> = {};
  /** Cancel the world's remaining plans when all requests are finished. */
  readonly #planned: (() => void)[] = [];
  #arrived = 0;

  constructor(world: World, { quietTurns, tell }: RunOptions) {
    this.#world = world;
    this.#clock = new VirtualClock(undefined, quietTurns);
    this.#clock.onThrow = (error) => this.defect(`A timer throws: ${String(error)}`);
    this.#events = new EventLog(this.#clock, tell);
    this.#model = new Model(this.#clock, this.#events);
    const upstream = new Upstream(world, this.#clock, new Dice(world.seed, 'providers'), this.#model.book);
    this.#config = schema.parse(configOf(world));
    this.#proxy = createProxy(this.#config, {
      env: {},
      clock: this.#clock,
      turns: NEVER_PAUSING,
      countTokens,
      random: new Dice(world.seed, 'proxy').next,
      connect: () => ({ fetch: upstream.fetch, release: () => undefined }),
      dial: upstream.dial,
      sinks: [(record) => this.#recorded(record)],
      onProblem: (message) => this.defect(message),
    });
  }

  defect(what: string): void {
    const about = { cause: what.slice(0, 60), about: this.#world.providers.map(({ name }) => name) };
    this.#model.violations.add(7, this.#clock.monotonic(), what, about);
  }

  async all(): Promise<Report> {
    await this.#proxy.warm();
    this.#plan();
    const endMs = this.#world.hours * HOUR_MS;
    await this.#clock.runUntil(endMs);
    // No longer than necessary: a leaked timer must not fire before the check for it.
    while (this.#model.book.requests.size > 0 && this.#clock.monotonic() < endMs + AFTERWARDS_MS) {
      await this.#clock.runUntil(this.#clock.monotonic() + 1_000);
    }
    await this.#close();
    const { violations, book } = this.#model;
    const { hash } = this.#events;
    const { calls, met } = book;
    const counts = { requests: this.#arrived, calls, outcomes: this.#outcomes, met };
    return { seed: this.#world.seed, violations: violations.list, hash, ...counts };
  }

  /** Sets a timer for everything that happens by itself. */
  #plan(): void {
    const arrivals = drawTraffic(this.#world);
    const next = (at: number): void => {
      const arrival = arrivals[at];
      if (!arrival) return;
      this.#clock.after(arrival.atMs - this.#clock.monotonic(), () => {
        void this.#visit(arrival);
        next(at + 1);
      });
    };
    next(0);
    for (const { name, outages } of this.#world.providers) {
      for (const outage of outages) {
        const limits = [outage.model, outage.path, outage.only, outage.stream && 'streamed'].filter(Boolean);
        const key = outage.key === undefined ? '' : `, key ${outage.key}`;
        const flaps = outage.flapMs === undefined ? '' : `, flapping every ${outage.flapMs / 1000} s`;
        const what = `${name}: ${outage.kind} (${limits.join(', ') || 'all'}${key}${flaps})`;
        const tell = (word: string) => () => this.#events.add(`${word} at ${what}`, ` ${name} `);
        this.#planned.push(this.#clock.after(outage.fromMs, tell('BEGINS')));
        this.#planned.push(this.#clock.after(outage.untilMs, tell('ENDS')));
      }
    }
    const dice = new Dice(this.#world.seed, 'reload');
    if (dice.chance(0.2)) this.#clock.after(dice.next() * this.#world.hours * HOUR_MS, () => this.#reload());
  }

  #reload(): void {
    this.#events.add('RELOAD', ` ${this.#world.providers.map(({ name }) => name).join(' ')} `);
    this.#model.reloaded();
    this.#proxy.reload(schema.parse(configOf(this.#world)));
  }

  async #visit({ route, name, expensive, long, ...how }: Arrival): Promise<void> {
    this.#arrived += 1;
    const request: SimRequest = {
      id: `r${this.#arrived}`,
      asked: { name, expensive, long },
      stream: CLASSES[name].stream,
      route,
      arrivedMs: this.#clock.monotonic(),
      deadlineMs: how.deadlineMs,
      leavesMs: how.leavesMs,
      slow: how.slow,
      calls: [],
      answeredMs: undefined,
      left: false,
    };
    this.#model.arrives(request);
    const seen = await visit(request, this.#clock, (asked) => this.#proxy.fetch(asked, BINDINGS));
    const state = request.left ? 'left' : `${seen.status ?? 'broken'}, ${seen.body.length} bytes`;
    const records = this.#records.get(request.id) ?? [];
    const word = records.map(({ outcome, fault }) => `${outcome}${fault ? ` (${fault})` : ''}`).join(' and ');
    this.#events.add(`${request.id} ends: ${state}; recorded: ${word || 'nothing'}`, tagsOf(request));
    this.#model.finished(request, request.left ? undefined : records[0]);
    await this.#clock.sleep(SETTLED_MS);
    const settled = { request, seen, records: this.#records.get(request.id) ?? [] };
    this.#model.settled(settled, this.#config.routing.deadline);
    this.#records.delete(request.id);
  }

  #recorded(record: LogRecord): void {
    this.#outcomes[record.outcome] = (this.#outcomes[record.outcome] ?? 0) + 1;
    const known = this.#records.get(record.id);
    if (known) known.push(record);
    else this.#records.set(record.id, [record]);
  }

  /** Checks that no request, call or timer is left. */
  async #close(): Promise<void> {
    const { violations, book } = this.#model;
    await this.#clock.runUntil(this.#clock.monotonic() + 2 * SETTLED_MS);
    const left = [...book.requests.keys()];
    const say = (what: string) =>
      violations.add(6, this.#clock.monotonic(), what, { cause: what, about: left });
    if (left.length > 0) say(`${left.join(', ')} did not end`);
    if (book.open.size > 0) say(`${book.open.size} calls are still open`);
    const health = await this.#proxy.fetch(new Request('http://proxy.test/health'), BINDINGS);
    const { in_flight: inFlight } = (await health.json()) as { in_flight: number };
    if (inFlight !== 0) say(`${inFlight} requests are in flight, and there are none`);
    await this.#proxy.close();
    for (const cancel of this.#planned) cancel();
    await this.#clock.runUntil(this.#clock.monotonic() + 2 * SETTLED_MS);
    if (this.#clock.timers !== 0) say(`${this.#clock.timers} timers are left`);
  }
}
