import type { LogState } from '../logs/trouble.ts';
import type { UploadState } from '../logs/upload/state.ts';
import type { HealthState } from '../pipeline/targets/health.ts';
import type { HeldStatus, ProviderStatus } from '../pipeline/targets/status.ts';
import type { Workers } from '../server/fleet.ts';
import { table } from './table.ts';
import { plainLine, wrapped } from './wrap.ts';

/** The body of GET /providers. */
export interface HealthReport {
  readonly status: HealthState;
  /** Present if several processes serve. */
  readonly workers?: Workers;
  readonly providers: readonly ProviderStatus[];
  /** Null if requests are not logged; omitted by older versions. */
  readonly log?: LogState | null;
}

const HEADER = ['PROVIDER', 'STATE', 'BREAKER', 'KEYS', 'OK', 'P50', 'P95', 'PROBE'];
/** The width from which the number of models is shown. */
const MODELS_COLUMNS = 70;
const INDENT = 6;
/** The width assumed for a narrower terminal. */
const MIN_COLUMNS = 24;

/**
 * The report for people: a table, followed by the problems of each provider.
 * @param width columns of the terminal; `Infinity` when the output is not a terminal, which prints each problem on one
 * line
 */
export function healthText({ status, workers, providers, log }: HealthReport, width: number): string {
  // Older versions do not report them.
  const listed = width >= MODELS_COLUMNS && providers.some(({ models }) => models);
  const rows = providers.map((provider) => [
    provider.name,
    provider.state,
    breakerText(provider),
    keysText(provider),
    provider.success_rate === null ? '-' : `${Math.round(provider.success_rate * 100)}%`,
    milliseconds(provider.p50_ms),
    milliseconds(provider.p95_ms),
    provider.next_probe === null ? '-' : time(provider.next_probe),
    ...(listed ? [provider.models?.at ? `${provider.models.listed}` : '-'] : []),
  ]);
  const troubles = providers.flatMap((provider) =>
    troublesOf(provider).map((each) => laidOut(provider.name, each, width)),
  );
  const silent =
    workers?.missing.map((worker) => `worker ${worker} of ${workers.total} does not answer`) ?? [];
  const logged = log?.state === 'failing' ? [laidOut('request log', logTrouble(log), width)] : [];
  const uploads =
    log?.upload?.state === 'failing' ? [laidOut('upload', uploadTrouble(log.upload), width)] : [];
  return [
    status,
    ...silent,
    table(listed ? [...HEADER, 'MODELS'] : HEADER, rows, width).trimEnd(),
    ...troubles,
    ...logged,
    ...uploads,
  ].join('\n');
}

function logTrouble({ since, reason, pending, lost }: LogState): Trouble {
  const first = `cannot be written since ${time(since ?? '')}: ${reason}`;
  return {
    first,
    rest: `${(pending / 1024 ** 2).toFixed(1)} MiB wait in memory, ${lost} records lost since the start`,
  };
}

function uploadTrouble({ since, reason, files, bytes, lost }: UploadState): Trouble {
  const gone = lost > 0 ? `, ${lost} deleted before they were uploaded` : '';
  return {
    first: `of the request log has failed since ${time(since ?? '')}: ${reason}`,
    rest: `${files} files are waiting, ${(bytes / 1024 ** 2).toFixed(1)} MiB${gone}`,
  };
}

function breakerText({ breaker, breakers }: ProviderStatus): string {
  if (breaker === 'open') return 'open';
  if (breaker === 'half_open') return 'half open';
  const troubled = breakers.open + breakers.half_open;
  const all = troubled + breakers.closed;
  if (all === 0) return '-';
  return troubled === 0 ? 'closed' : `${troubled}/${all} open`;
}

function keysText({ keys }: ProviderStatus): string {
  if (keys.total < 2 && keys.down === 0) return '-';
  return keys.down === 0 ? `${keys.total}` : `${keys.down}/${keys.total} down`;
}

/** A problem of a provider: the part in the table, and the part below it. */
interface Trouble {
  readonly first: string;
  readonly rest?: string;
}

/** What is on hold, and why a provider is not healthy if that does not explain it. */
function troublesOf(provider: ProviderStatus): Trouble[] {
  const { state, reasons, last_error: last, held, models } = provider;
  const others = reasons.filter((reason) => !held.some((each) => says(each, reason)));
  const showsError = state !== 'healthy' && last && !held.some(({ fault }) => fault === last.fault);
  return [
    ...groups(held).map((group) => heldTrouble(group, provider)),
    ...others.map((reason) => ({ first: reason })),
    ...(showsError ? [{ first: `last error: ${last.message}` }] : []),
    // For a provider that is down, this adds nothing.
    ...(state === 'healthy' && models?.error && models.at === null ? [{ first: models.error }] : []),
  ];
}

/** Whether a reason refers to something on hold: it ends with the same words, or lists the model. */
function says({ fault, message, model }: HeldStatus, reason: string): boolean {
  if (reason.endsWith(`: ${message}`) || reason.endsWith(` after ${fault}`)) return true;
  return model !== null && reason.split(/ for |: |, /).includes(model);
}

/** Groups models that are on hold for the same reason. */
function groups(held: readonly HeldStatus[]): HeldStatus[][] {
  const alike = Map.groupBy(held, ({ scope, endpoint, key, only, fault, message, next_trial: next, due }) =>
    JSON.stringify([scope, endpoint, key, only, fault, message, next === null, due]),
  );
  return [...alike.values()];
}

function heldTrouble(group: readonly HeldStatus[], { keys }: ProviderStatus): Trouble {
  const { scope, endpoint, key, only, fault, message } = group[0]!;
  const models = group.map(({ model }) => model).filter((model) => model !== null);
  const which = [...models, endpoint, key === null || keys.total < 2 ? null : `key ${key + 1}`];
  const named = which.filter((each) => each !== null).join(', ');
  // If there is only one key, it has no number.
  const whom = scope === 'provider' ? 'whole provider' : named || 'its key';
  const since = group.map((each) => each.since).toSorted()[0]!;
  // The name of the provider is already printed before it.
  const words = message.replace(/^Cannot reach \S+: /, '');
  return {
    first: `${trialText(group)}, held back since ${time(since)}: ${whom}${only === undefined ? '' : `, for ${only} only`}`,
    rest: `${fault}: ${words}`,
  };
}

function trialText(group: readonly HeldStatus[]): string {
  const times = group.map(({ next_trial: next }) => next).filter((next) => next !== null);
  const [first, ...later] = times.toSorted().map(time);
  if (first === undefined) return 'being tried now';
  if (group[0]!.due) return 'the next request tries it';
  return later.some((each) => each !== first) ? `next trials from ${first}` : `next trial ${first}`;
}

function laidOut(name: string, { first, rest }: Trouble, width: number): string {
  const parts = [first, rest].filter((part) => part !== undefined).map(plainLine);
  const lead = `${name.padEnd(INDENT - 2)}  `;
  if (width === Infinity) return `${name}  ${parts.join('; ')}`;
  const columns = Math.max(width, MIN_COLUMNS) - INDENT;
  const [head = '', ...more] = parts;
  const lines = [
    ...wrapped(head, columns, Bun.stringWidth(lead) - INDENT),
    ...more.flatMap((part) => wrapped(part, columns)),
  ];
  return lines.map((line, index) => `${index === 0 ? lead : ' '.repeat(INDENT)}${line}`.trimEnd()).join('\n');
}

/** The time of day, UTC. */
function time(iso: string): string {
  return `${iso.slice(11, 19)}Z`;
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1_000 ? `${Math.round(ms)}ms` : `${(ms / 1_000).toFixed(1)}s`;
}
