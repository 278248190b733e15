/** The compiled binary in front of providers whose answers are unusual, some valid and some not. */
import { expect } from 'bun:test';
import { fresh } from '../helpers/caller.ts';
import { expectWhole, theme } from '../helpers/rig.ts';

const MAX_RETRIES = 1;

const { everyWay, everyStream, everyClientStream } = theme({
  broken: { max_retries: MAX_RETRIES, timeout: { first_byte: '2s', first_content: '5s' } },
});

for (const [what, fault] of [
  ['after early hints', 'early-hints'],
  ['compressed without being asked for it', 'gzip'],
  ['byte by byte', 'trickle:0'],
] as const) {
  everyWay(`an answer that comes ${what} is passed on whole`, async ({ rig, stream }) => {
    const model = fresh(fault);
    expectWhole(await rig.ask(model, { stream }), stream);
    expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
  });
}

everyStream(
  'a stream whose lines end in CRLF and that begins with a comment is passed on as a stream',
  async ({ rig, stream }) => {
    const model = fresh('crlf');
    expectWhole(await rig.ask(model, { stream }), stream);
    expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
  },
);

everyClientStream(
  'an answer in one JSON body is passed on as the requested stream',
  async ({ rig, ask, stream }) => {
    const model = fresh('unstreamed');
    expectWhole(await ask(model), stream);
    expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
  },
);

for (const [what, fault] of [
  ['a redirect', 'redirect'],
  ['a gateway’s own page of status 520', '520-html'],
  ['an answer that is not compressed as declared', 'gzip-broken'],
  ['an end without an answer before it', 'done-only'],
  ['nothing but malformed events', 'garbage'],
  ['headers without end', 'header-flood'],
] as const) {
  everyWay(`${what} is not an answer: the next target provides one`, async ({ rig, stream }) => {
    const model = fresh(fault);
    const seen = await rig.ask(model, { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
    expect(rig.broken.attemptsOf(model).length).toBeLessThanOrEqual(1 + MAX_RETRIES);
  });

  everyWay(
    `${what} from the only target is reported as a failure of the provider, not of the client`,
    async ({ rig, stream }) => {
      const seen = await rig.ask(`broken/${fresh(fault)}`, { stream });
      expect(seen.status).toBeGreaterThanOrEqual(500);
      expect([seen.done, seen.error === undefined, seen.error!.message.length < 500]).toEqual([
        0,
        false,
        true,
      ]);
      expect((await rig.recordOf(seen)).outcome).toBe('error');
    },
  );
}
