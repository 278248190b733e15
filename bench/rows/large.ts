import type { BenchRequest } from '../requests.ts';
import { LARGE, LARGE_ANSWER, requestBytes } from '../requests.ts';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';
import { BARE_PASS, BARE_WHOLE } from '../subjects.ts';
import { steadyWindows } from '../window.ts';

export const largeRequests: Row = largeRow('large-requests', 'Requests of 1 MB, 4 clients', {
  asked: LARGE,
  clients: 4,
  least: 200,
});

export const largeAnswers: Row = largeRow('large-answers', 'Answers of 100 kB, 8 clients', {
  asked: LARGE_ANSWER,
  clients: 8,
  least: 2_000,
});

interface Large {
  readonly asked: BenchRequest;
  readonly clients: number;
  readonly least: number;
}

function largeRow(name: string, title: string, { asked, clients, least }: Large): Row {
  return {
    name,
    measures: [{ name, title: `${title}: CPU per request`, unit: 'µs', base: BARE_WHOLE }],
    applies: (subject) => subject.name !== BARE_PASS,
    async sample(run) {
      const request = requestBytes(asked, run.instance.headers);
      // The requests are large and so is the log, so the windows are short.
      const effort = { ...run.effort, windowMs: run.effort.windowMs / 2, warmMs: run.effort.warmMs / 2 };
      const windows = await steadyWindows({ ...run, effort }, { clients, request, least });
      return { [name]: median(windows.map(({ cpuUs }) => cpuUs)) };
    },
  };
}
