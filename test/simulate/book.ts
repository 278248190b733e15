import type { EventLog } from './events.ts';
import type { KindName } from './faults.ts';
import type { Asked, Outage } from './outages.ts';
import type { SimProvider, SimRoute, SimTarget } from './world.ts';

/** A client's request, as planned and as far as it has got. */
export interface SimRequest {
  readonly id: string;
  readonly asked: Asked;
  readonly stream: boolean;
  readonly route: SimRoute;
  readonly arrivedMs: number;
  /** The client's own deadline for the complete answer, in milliseconds. */
  readonly deadlineMs: number | undefined;
  /** When the client disconnects, in milliseconds after its arrival. */
  readonly leavesMs: number | undefined;
  /** Whether it reads slowly. */
  readonly slow: boolean;
  readonly calls: Call[];
  /** When its status line arrived, on the monotonic clock; a slow client finishes long after that. */
  answeredMs: number | undefined;
  left: boolean;
}

/** One request of the proxy to a provider. */
export interface Call {
  readonly request: SimRequest;
  readonly target: SimTarget;
  readonly key: number;
  readonly beganMs: number;
  /** The fault that was active when it was made. */
  outage: Outage | undefined;
  endedMs: number | undefined;
  /** `aborted` if the proxy cancelled it. */
  result: 'fine' | 'fault' | 'aborted' | undefined;
  /** The Retry-After in its answer, in milliseconds. */
  toldMs: number | undefined;
}

export interface Watcher {
  began(call: Call): void;
  ended(call: Call): void;
  /** A probe could not open a connection. */
  probed(provider: SimProvider): void;
}

/** Which requests and calls were made, and how they went. */
export class Book {
  readonly events: EventLog;
  readonly requests = new Map<string, SimRequest>();
  readonly open = new Set<Call>();
  calls = 0;
  /** Calls by the fault they met. */
  readonly met: Partial<Record<KindName, number>> = {};
  watcher: Watcher | undefined;
  readonly #clock: { monotonic(): number };

  constructor(clock: { monotonic(): number }, events: EventLog) {
    this.#clock = clock;
    this.events = events;
  }

  arrives(request: SimRequest): void {
    const { id, asked, route } = request;
    this.requests.set(id, request);
    const sort = `${asked.name}${asked.expensive ? ', expensive' : ''}${asked.long ? ', long' : ''}`;
    this.events.add(`${id} asks ${route.name} (${sort})`, tagsOf(request));
  }

  /** The call to a provider that has this body. */
  asked(provider: SimProvider, key: number, path: string, body: string): Call {
    const request = this.requests.get(/#(r\d+)#/.exec(body)?.[1] ?? '');
    const model = /"model":"([^"]+)"/.exec(body)?.[1];
    const target = request?.route.targets.find((each) => each.provider === provider && each.model === model);
    if (!request || !target) {
      throw new Error(`Cannot tell whose call this is: ${provider.name}${path} for ${model}`);
    }
    const beganMs = this.#clock.monotonic();
    const unknown = { outage: undefined, endedMs: undefined, result: undefined, toldMs: undefined };
    return { request, target, key, beganMs, ...unknown };
  }

  begins(call: Call): void {
    const { request, target, key, outage } = call;
    this.calls += 1;
    this.open.add(call);
    this.watcher?.began(call);
    request.calls.push(call);
    if (outage) this.met[outage.kind] = (this.met[outage.kind] ?? 0) + 1;
    const truth = outage ? ` (${outage.kind})` : '';
    this.events.add(`${request.id} -> ${target.id} key ${key}${truth}`, tagsOf(request));
  }

  /** Only the first result counts. */
  ends(call: Call, result: NonNullable<Call['result']>): void {
    if (call.result) return;
    call.result = result;
    call.endedMs = this.#clock.monotonic();
    this.open.delete(call);
    const told = call.toldMs === undefined ? '' : `, retry after ${call.toldMs / 1000} s`;
    this.events.add(`${call.request.id} <- ${call.target.id}: ${result}${told}`, tagsOf(call.request));
    this.watcher?.ended(call);
  }
}

/** The tags of an event about a request. */
export function tagsOf({ id, route }: SimRequest): string {
  return ` ${id} ${[...new Set(route.targets.map(({ provider }) => provider.name))].join(' ')} `;
}
