import type { Selection } from '../read/selection.ts';
import type { Picker } from './picker.ts';
import { milliseconds } from '../../config/amounts.ts';
import type { FlagName } from './flags.ts';
import { ENDPOINT_NAMES } from '../../wire/endpoints.ts';
import { momentFrom, momentUntil } from '../../config/moment.ts';
import { isTimeZone } from '../../config/time-zone.ts';
import { orList } from './picker.ts';

/** Which records are wanted. @param nowMs what spans such as `7d` count back from */
export function selectionOf(picker: Picker, nowMs: number): Selection {
  const span = spanOf(picker, nowMs);
  const modelFilter = picker.text('model-filter');
  const minTokens = picker.whole('min-tokens', 0);
  const maxLatencyMs = picker.read('max-latency', milliseconds, 'a time such as 2s or 500ms');
  const where = picker.text('where');
  return {
    successfulOnly: picker.on('successful-only'),
    resumed: picker.on('include-resumed') ? 'include' : 'exclude',
    ...(modelFilter === undefined ? {} : { modelFilter }),
    models: picker.list('model'),
    providers: picker.list('provider'),
    endpoints: picker.list('endpoint').map((endpoint) => endpointOf(endpoint, picker)),
    keys: picker.list('key'),
    users: picker.list('user'),
    tags: picker.list('tag').map((tag) => tagOf(tag, picker)),
    statuses: picker.list('status'),
    finishReasons: picker.list('finish-reason').map((reason) => reason.toLowerCase()),
    ...span,
    ...(minTokens === undefined ? {} : { minTokens }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
    ...(where === undefined ? {} : { where }),
  };
}

/** A name that is none would find nothing, and say so by no row alone. */
function endpointOf(endpoint: string, picker: Picker): string {
  if (/[*?[{(!]/.test(endpoint) || ENDPOINT_NAMES.some((known) => known === endpoint)) return endpoint;
  throw picker.wrong('endpoint', `expected ${orList(ENDPOINT_NAMES)}, or a glob`);
}

function tagOf(tag: string, picker: Picker): readonly [name: string, value: string] {
  const at = tag.indexOf('=');
  if (at < 1) throw picker.wrong('tag', 'expected NAME=VALUE');
  return [tag.slice(0, at), tag.slice(at + 1)];
}

function spanOf(picker: Picker, nowMs: number): { fromMs?: number; untilMs?: number } {
  const zone = (text: string) => (isTimeZone(text) ? text : undefined);
  const timeZone = picker.read('time-zone', zone, 'a name such as Europe/Berlin') ?? 'UTC';
  const from: FlagName = picker.given('since') ? 'since' : 'start-date';
  const until: FlagName = picker.given('until') ? 'until' : 'end-date';
  const expected = 'a day such as 2026-11-23, an ISO time, or a span such as 7d';
  const moment = (read: typeof momentFrom) => (text: string) => {
    const ms = read(text, { nowMs, timeZone });
    return Number.isNaN(ms) ? undefined : ms;
  };
  const fromMs = picker.read(from, moment(momentFrom), expected);
  const untilMs = picker.read(until, moment(momentUntil), expected);
  if (fromMs !== undefined && untilMs !== undefined && fromMs > untilMs)
    throw picker.wrong(from, `it is after ${picker.source(until)} ${picker.text(until)}`);
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(untilMs === undefined ? {} : { untilMs }) };
}
