/** The requests to the binary for each recording, and the recordings that are skipped, by reason. */
import type { Client } from './answers/compare.ts';
import type { VendorType } from './lab/vendors.ts';
import type { Api, Recorded } from './read/exchange.ts';
import type { Asker } from './requests/asking.ts';
import { unmeasured } from './answers/kinds.ts';
import { isStream, saidIn } from './answers/read.ts';
import { isBeside } from './checks/beside.ts';
import { vendorOf } from './lab/vendors.ts';
import { apiOf, otherAsker, otherEndpoint } from './read/exchange.ts';

export type Job =
  | {
      readonly kind: 'answer' | 'broken' | 'failure';
      readonly recorded: Recorded;
      readonly api: Api;
      readonly client: Client;
    }
  | { readonly kind: 'request'; readonly recorded: Recorded; readonly client: Asker; readonly target: Api }
  | { readonly kind: 'beside'; readonly recorded: Recorded };

export const CLIENTS: readonly Client[] = ['chat', 'messages', 'responses', 'gemini'];
const ASKERS: readonly Asker[] = [...CLIENTS, 'ollama', 'interactions'];
export const APIS: readonly Api[] = ['chat', 'messages', 'responses', 'gemini', 'converse', 'cohere'];

export interface Plan {
  readonly jobs: readonly Job[];
  /** Numbers by reason. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Recordings of an unknown kind. */
  readonly unknown: readonly string[];
}

/** @param others descriptions of what files contain besides exchanges */
export function plan(recordings: readonly Recorded[], others: readonly string[] = []): Plan {
  const jobs: Job[] = [];
  const skipped = new Map<string, number>();
  const unknown: string[] = [];
  const skip = (reason: string) => skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  for (const other of others) skip(other);
  for (const recorded of recordings) {
    const api = recorded.method === 'POST' ? apiOf(recorded) : undefined;
    if (api === undefined) {
      const other = otherEndpoint(recorded);
      jobs.push(...requestsOf(recorded, otherAsker(recorded)));
      if (isBeside(recorded)) jobs.push({ kind: 'beside', recorded });
      else if (other === undefined) unknown.push(nameOf(recorded));
      else skip(recorded.status < 300 ? other : `a failure of an endpoint that is not asked here: ${other}`);
      continue;
    }
    const reason = unmeasured(recorded, api);
    if (reason === undefined) jobs.push(...answersOf(recorded, api));
    else skip(reason);
    jobs.push(...requestsOf(recorded, api));
  }
  return { jobs, skipped, unknown };
}

function answersOf(recorded: Recorded, api: Api): Job[] {
  const kind = recorded.status < 300 ? 'answer' : 'failure';
  const jobs = CLIENTS.map((client): Job => ({ kind, recorded, api, client }));
  if (kind === 'failure' || !isStream(recorded)) return jobs;
  return [...jobs, ...CLIENTS.map((client): Job => ({ kind: 'broken', recorded, api, client }))];
}

/** Requests in clients' own protocols, each to every provider. Requests that the vendor refused are not compared. */
function requestsOf(recorded: Recorded, api: Api | Asker | undefined): Job[] {
  const client = ASKERS.find((each) => each === api);
  if (!client || !recorded.request || recorded.status >= 300) return [];
  // Google's own provider receives interactions unchanged.
  const targets = APIS.filter((target) => client !== 'interactions' || target !== 'gemini');
  return targets.map((target) => ({ kind: 'request', recorded, client, target }));
}

export function nameOf({ file, at }: Recorded): string {
  return `${file} #${at}`;
}

/** How many providers of each type are put on cooldown by their answers. */
export function freshNeeded(jobs: readonly Job[]): Partial<Record<VendorType, number>> {
  const needed: Partial<Record<VendorType, number>> = {};
  for (const job of jobs) {
    if (job.kind === 'request' || job.kind === 'beside') continue;
    if (job.kind === 'answer' && !fails(job.recorded, job.api)) continue;
    const { type } = vendorOf(job.api, job.recorded.provider, job.client);
    needed[type] = (needed[type] ?? 0) + 1;
  }
  return needed;
}

function fails(recorded: Recorded, api: Api): boolean {
  try {
    return saidIn(recorded, api).failed;
  } catch {
    // Unreadable recordings are reported later.
    return false;
  }
}
