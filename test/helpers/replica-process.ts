/**
 * One of several replicas that share a limit: bun replica-process.ts SETTINGS FILE. It reserves and releases as fast as
 * it can until it is told to stop, and writes what it took to the file, line by line, so that the account of a killed
 * process is complete.
 */
import { openSync, writeSync } from 'node:fs';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import type { Charge } from '../../src/limits/ledger.ts';
import { systemClock } from '../../src/clock.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { ReplicaLedger } from '../../src/limits/replicas/replica-ledger.ts';

export interface ReplicaSettings {
  readonly url: string;
  readonly limit: unknown;
  /** The error of its clock, in milliseconds. */
  readonly skewMs: number;
  readonly replicas: number;
  /** The estimate of what a request may use at most; it never uses more. */
  readonly most: number;
  /** The longest duration of a request, in milliseconds. */
  readonly tookMs: number;
  /** How long it waits for the server, in milliseconds. */
  readonly timeoutMs: number;
}

const [settings = '{}', path = ''] = process.argv.slice(2);
const {
  url,
  limit: configured,
  skewMs,
  replicas,
  most,
  tookMs,
  timeoutMs,
} = JSON.parse(settings) as ReplicaSettings;
const file = openSync(path, 'a');
const clock = { ...systemClock, now: () => Date.now() + skewMs };
const [each] = limitsOf([limit.parse(configured) as LimitConfig], { name: 'group g', apart: [] });
const ledger = new ReplicaLedger({
  url,
  timeoutMs,
  replicas,
  maxMeters: 100,
  clock,
  onProblem: (message) => write({ problem: message }),
});
const end = new AbortController();
let count = 0;

function write(line: object): void {
  writeSync(file, `${JSON.stringify({ atMs: Date.now(), ...line })}\n`);
}

/** Sends one request after another. */
async function client(): Promise<void> {
  while (!end.signal.aborted) {
    const amount = each!.kind === 'tokens' ? 1 + Math.floor(Math.random() * most) : 1;
    const meter = each!.id;
    const charges: Charge[] = [
      { limit: each!, meter, most: each!.most, amount, known: amount, lenient: false },
    ];
    const beganMs = performance.now();
    const wait = ledger.ask(charges, clock.now());
    for (let next = wait; next && (await next);) next = ledger.ask(charges, clock.now());
    const waitedMs = performance.now() - beganMs;
    const taken = ledger.reserve(charges, clock.now());
    if (taken.kind === 'refused') {
      write({ refused: true, waitedMs });
      await Bun.sleep(5);
      continue;
    }
    count += 1;
    const id = count;
    write({ id, held: amount, asked: wait !== undefined, waitedMs });
    await Bun.sleep(Math.random() * tookMs);
    const used = each!.kind === 'tokens' ? Math.floor(Math.random() * (amount + 1)) : amount;
    write({ id, used });
    ledger.settle(taken, [used], clock.now());
  }
}

await ledger.opened();
process.on('message', async () => {
  end.abort();
  await clients;
  await ledger.close();
  process.exit(0);
});
process.send!('ready');
const clients = Promise.all(Array.from({ length: 8 }, client));
