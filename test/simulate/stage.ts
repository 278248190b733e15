import type { LogRecord } from '../../src/logs/record.ts';
import type { Call, SimRequest } from './book.ts';
import type { ClassName } from './classes.ts';
import type { KindName } from './faults.ts';
import type { Outage } from './outages.ts';
import type { SimProvider, SimRoute, SimTarget } from './world.ts';
import { logRecord } from '../helpers/log-record.ts';
import { CLASSES } from './classes.ts';
import { EventLog } from './events.ts';
import { Model } from './model.ts';

/**
 * The model without a proxy: a provider with two models, a second provider as a fallback, and functions to act with.
 */
export function stage(outages: readonly Outage[] = [], keys = 1) {
  const clock = { nowMs: 0, monotonic: () => clock.nowMs };
  const model = new Model(clock, new EventLog(clock));
  const common = { protocol: 'anthropic', models: ['small', 'large'], probe: 'honest' } as const;
  const first: SimProvider = { ...common, name: 'p0', keys, maxConnections: undefined, outages };
  const second: SimProvider = { ...common, name: 'p1', keys: 1, maxConnections: undefined, outages: [] };
  const target = (provider: SimProvider, name: string): SimTarget => ({
    id: `${provider.name}/${name}`,
    provider,
    model: name,
  });
  const small = target(first, 'small');
  const large = target(first, 'large');
  const behind = target(second, 'small');
  let count = 0;
  const ask = (targets: SimTarget[] = [small, behind], name: ClassName = 'messages'): SimRequest => {
    const route: SimRoute = { name: targets.map(({ id }) => id).join('+'), targets };
    const request: SimRequest = {
      id: `r${(count += 1)}`,
      asked: { name, expensive: false, long: false },
      stream: CLASSES[name].stream,
      route,
      arrivedMs: clock.nowMs,
      deadlineMs: undefined,
      leavesMs: undefined,
      slow: false,
      calls: [],
      answeredMs: undefined,
      left: false,
    };
    model.arrives(request);
    return request;
  };
  const call = (request: SimRequest, to: SimTarget, outage?: Outage, key = 0): Call => {
    const unknown = { endedMs: undefined, result: undefined, toldMs: outage?.retryAfterMs };
    const made: Call = { request, target: to, key, beganMs: clock.nowMs, outage, ...unknown };
    model.book.begins(made);
    return made;
  };
  /** A complete request with one call, which takes 10 ms. */
  const exchange = (to: SimTarget, outage?: Outage, name: ClassName = 'messages', key = 0): void => {
    const request = ask([to], name);
    const made = call(request, to, outage, key);
    clock.nowMs += 10;
    model.book.ends(made, outage ? 'fault' : 'fine');
    model.finished(request, undefined);
    clock.nowMs += 10;
  };
  const fail = (request: SimRequest, fault: LogRecord['fault'] = 'unavailable') =>
    model.finished(request, logRecord({ id: request.id, outcome: 'error', status: 503, fault, attempts: 0 }));
  const broken = () => model.violations.list.map(({ rule }) => rule);
  return { clock, model, small, large, behind, ask, call, exchange, fail, broken };
}

/** A fault that is always active, unless `given` says otherwise. */
export function outage(kind: KindName, given: Partial<Outage> = {}): Outage {
  const all = { flapMs: undefined, key: undefined, model: undefined, path: undefined, stream: undefined };
  return {
    kind,
    fromMs: 0,
    untilMs: 1e9,
    ...all,
    only: undefined,
    retryAfterMs: undefined,
    thaws: false,
    ...given,
  };
}
