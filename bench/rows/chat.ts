import { CHAT, MESSAGES, requestBytes } from '../requests.ts';
import type { Row } from '../row.ts';
import { median, quantile } from '../statistics.ts';
import { BARE_WHOLE } from '../subjects.ts';
import { steadyWindows } from '../window.ts';

const CLIENTS = 32;
/** Until then, the JIT compiler is still at work. */
const LEAST = 20_000;

export const relay: Row = {
  name: 'relay',
  measures: [
    {
      name: 'relay',
      title: 'Relayed chat, 32 clients: CPU per request',
      unit: 'µs',
      base: BARE_WHOLE,
      quoted: true,
    },
    {
      name: 'relay_rate',
      title: 'Relayed chat, 32 clients: requests per second',
      unit: '/s',
      base: BARE_WHOLE,
    },
    { name: 'relay_p99', title: 'Relayed chat, 32 clients: p99 of an answer', unit: 'ms', base: BARE_WHOLE },
  ],
  applies: () => true,
  async sample(run) {
    const request = requestBytes(CHAT, run.instance.headers);
    const windows = await steadyWindows(run, { clients: CLIENTS, request, least: LEAST });
    return {
      relay: median(windows.map(({ cpuUs }) => cpuUs)),
      relay_rate: median(windows.map(({ completed, seconds }) => completed / seconds)),
      relay_p99: median(windows.map(({ latenciesMs }) => quantile(latenciesMs, 0.99))),
    };
  },
};

/** The cost that keys and limits of every kind add to a relayed request. */
export const limited: Row = {
  name: 'limits',
  limited: true,
  measures: [
    {
      name: 'limits',
      title: 'Relayed chat with keys and limits, 32 clients: CPU per request',
      unit: 'µs',
      base: 'llmproxy',
    },
  ],
  applies: ({ kind }) => kind === 'llmproxy',
  async sample(run) {
    const request = requestBytes(CHAT, run.instance.headers);
    const windows = await steadyWindows(run, { clients: CLIENTS, request, least: LEAST });
    return { limits: median(windows.map(({ cpuUs }) => cpuUs)) };
  },
};

/** The bare passthrough does not translate: its request is answered in chat format. */
export const translated: Row = {
  name: 'translated',
  measures: [
    {
      name: 'translated',
      title: 'Translated chat, 32 clients: CPU per request',
      unit: 'µs',
      base: BARE_WHOLE,
      quoted: true,
    },
  ],
  applies: ({ name, translates }) => translates || name === BARE_WHOLE,
  async sample(run) {
    const request = requestBytes(MESSAGES, run.instance.headers);
    const windows = await steadyWindows(run, { clients: CLIENTS, request, least: LEAST / 2 });
    return { translated: median(windows.map(({ cpuUs }) => cpuUs)) };
  },
};
