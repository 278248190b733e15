import type { OptionName } from '../../config/export/options.ts';
import type { Selection } from '../read/selection.ts';
import type { Options } from './options.ts';
import { orList } from '../../config/export/kinds.ts';
import { momentFrom, momentUntil } from '../../config/moment.ts';
import { ENDPOINT_NAMES } from '../../wire/endpoints.ts';

/** Which records are selected. @param nowMs the time that durations such as `7d` count back from */
export function selectionOf(options: Options, nowMs: number): Selection {
  const modelFilter = options.value('model-filter');
  const minTokens = options.value('min-tokens');
  const maxLatencyMs = options.value('max-latency');
  const where = options.value('where');
  const endpoints = options.value('endpoint');
  refuseUnknownEndpoints(endpoints, options);
  return {
    successfulOnly: options.value('successful-only'),
    resumed: options.value('include-resumed') ? 'include' : 'exclude',
    ...(modelFilter === undefined ? {} : { modelFilter }),
    models: options.value('model'),
    providers: options.value('provider'),
    endpoints,
    keys: options.value('key'),
    users: options.value('user'),
    tags: options.value('tag'),
    statuses: options.value('status'),
    finishReasons: options.value('finish-reason').map((reason) => reason.toLowerCase()),
    ...spanOf(options, nowMs),
    ...(minTokens === undefined ? {} : { minTokens }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
    ...(where === undefined ? {} : { where }),
  };
}

/** An unknown name would silently select nothing. */
function refuseUnknownEndpoints(endpoints: readonly string[], options: Options): void {
  for (const endpoint of endpoints)
    if (!/[*?[{(!]/.test(endpoint) && !ENDPOINT_NAMES.some((known) => known === endpoint))
      throw options.wrong('endpoint', `expected ${orList(ENDPOINT_NAMES)}, or a glob`);
}

function spanOf(options: Options, nowMs: number): { fromMs?: number; untilMs?: number } {
  const timeZone = options.value('time-zone');
  const from: OptionName = options.given('since') ? 'since' : 'start-date';
  const until: OptionName = options.given('until') ? 'until' : 'end-date';
  const [first, last] = [options.value(from), options.value(until)];
  const fromMs = first === undefined ? undefined : momentFrom(first, { nowMs, timeZone });
  const untilMs = last === undefined ? undefined : momentUntil(last, { nowMs, timeZone });
  if (fromMs !== undefined && untilMs !== undefined && fromMs > untilMs)
    throw options.wrong(from, `it is after ${options.source(until)} ${last}`);
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(untilMs === undefined ? {} : { untilMs }) };
}
