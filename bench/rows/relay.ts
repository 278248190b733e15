import { startLoad } from '../load.ts';
import { CHAT } from '../requests.ts';
import type { Row } from '../row.ts';
import { median, quantile } from '../statistics.ts';
import { BARE_WHOLE } from '../subjects.ts';
import type { Window } from '../window.ts';
import { measureWindow, untilSteady } from '../window.ts';

const CLIENTS = 32;

export const relay: Row = {
  name: 'relay',
  measures: [
    { name: 'relay', title: 'Relayed chat, 32 clients: CPU a request', unit: 'µs', base: BARE_WHOLE },
    {
      name: 'relay_rate',
      title: 'Relayed chat, 32 clients: requests a second',
      unit: '/s',
      base: BARE_WHOLE,
    },
    { name: 'relay_p99', title: 'Relayed chat, 32 clients: 99th percentile', unit: 'ms', base: BARE_WHOLE },
  ],
  applies: () => true,
  async sample({ instance, cpu, effort }) {
    const load = startLoad(`${instance.url}`, CLIENTS, CHAT);
    const windows: Window[] = [];
    try {
      await untilSteady(load, cpu, {
        windowMs: effort.windowMs,
        leastRequests: effort.leastRequests,
        mostMs: effort.warmMs,
      });
      for (let n = 0; n < effort.windows; n += 1)
        windows.push(await measureWindow(load, cpu, effort.windowMs));
    } finally {
      load.stop();
    }
    return {
      relay: median(windows.map(({ cpuUs }) => cpuUs)),
      relay_rate: median(windows.map(({ requests, seconds }) => requests / seconds)),
      relay_p99: median(windows.map(({ latenciesMs }) => quantile(latenciesMs, 0.99))),
    };
  },
};
