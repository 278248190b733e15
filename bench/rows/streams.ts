import type { BenchRequest } from '../requests.ts';
import { MESSAGES_STREAM, requestBytes, STREAM } from '../requests.ts';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';
import { BARE_PASS, BARE_WHOLE } from '../subjects.ts';
import { steadyWindows } from '../window.ts';

const STREAMS = 100;

export const streams: Row = streamRow(
  'streams',
  'Relayed streams, 100 with 100 chunks/s',
  STREAM,
  ({ name }) => name !== BARE_WHOLE,
);

export const translatedStreams: Row = streamRow(
  'translated-streams',
  'Translated streams, 100 with 100 chunks/s',
  MESSAGES_STREAM,
  ({ name, translates }) => translates || name === BARE_PASS,
);

function streamRow(name: string, title: string, asked: BenchRequest, applies: Row['applies']): Row {
  return {
    name,
    measures: [
      {
        name,
        title: `${title}: CPU per chunk`,
        unit: 'µs',
        base: BARE_PASS,
        quoted: true,
      },
    ],
    applies,
    async sample(run) {
      const request = requestBytes(asked, run.instance.headers);
      // Every chunk of the provider contains one word, in whatever format it reaches the client.
      const windows = await steadyWindows(run, {
        clients: STREAMS,
        request,
        counts: 'word ',
        least: 20_000,
      });
      return { [name]: median(windows.map(({ cpuUs }) => cpuUs)) };
    },
  };
}
