/** Whatever a provider sends, the client is answered, the record is written, and no memory stays reserved. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { SpeakerName } from '../helpers/speakers.ts';
import { recordSchema } from '../../src/logs/record-schema.ts';
import { parseJson } from '../../src/wire/json.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { running } from '../helpers/proxy.ts';
import { speakerConfig, SPEAKERS, eventStream } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';
import { spoiledEvents, spoiledWhole, spoiling } from './odd-answers.ts';

/** FUZZ_RUNS sets more runs, and thus a longer test. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 150);

const names = Object.keys(SPEAKERS) as SpeakerName[];
const clients = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];

const asking = fc.record({
  name: fc.constantFrom(...names),
  client: fc.constantFrom(...clients),
  stream: fc.boolean(),
  spoiling,
});

/** The value of a gauge on the metrics page. */
async function gauge(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^llmproxy_${name} (.*)$`, 'm').exec(page)?.[1]);
}

test(
  'answers the client, writes the record and frees the memory, however odd a provider’s answer is',
  async () => {
    let answer = (): Response => new Response();
    await using provided = upstream(() => answer());
    await using proxy = running({
      providers: names.map((name) => speakerConfig(name, provided.url)),
      routing: { breaker: { failures: 1e6, min_calls: 1e6 } },
    });
    await fc.assert(
      fc.asyncProperty(asking, async ({ name, client, stream, spoiling: spoiled }) => {
        const { type, ...speaking } = SPEAKERS[name];
        const end = 'end' in speaking ? speaking.end : '';
        answer = stream
          ? () => eventStream(type, spoiledEvents(name, spoiled), end)
          : () =>
              new Response(spoiledWhole(name, spoiled), { headers: { 'content-type': 'application/json' } });
        const before = proxy.records.length;
        const told = proxy.problems.length;
        const { path, request } = CLIENTS[client];
        const reply = await proxy.post(path, { ...request, model: `${name}/m-1`, stream });
        const text = await reply.text();
        const records = await proxy.recorded(before + 1);
        expect(reply.status).toBeWithin(200, 600);
        expect(text).not.toContain('internal_error');
        if (!stream || reply.status !== 200) expect(parseJson(text)).toBeObject();
        expect(records).toHaveLength(before + 1);
        const { request: _, response, ...record } = records.at(-1)!;
        expect(() => recordSchema.parse(JSON.parse(JSON.stringify(record)))).not.toThrow();
        expect(record.fault).not.toBe('internal');
        if (response !== undefined) expect(parseJson(response)).toBeDefined();
        // Exceptions that nobody foresaw are reported as problems.
        expect(proxy.problems.slice(told)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(await gauge(proxy.url, 'in_flight')).toBe(0);
    expect(await gauge(proxy.url, 'buffered_bytes')).toBe(0);
  },
  20_000 + RUNS * 200,
);
