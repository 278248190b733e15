/** The compiled binary in front of providers whose answers of status 200 are cut, malformed or no answers at all. */
import { expect } from 'bun:test';
import { USAGE } from '../helpers/broken/wire.ts';
import { fresh } from '../helpers/caller.ts';
import { expectCut, expectWhole, theme } from '../helpers/rig.ts';

const MAX_RETRIES = 1;

const { everyWay, everyStream, everyWhole, once } = theme({
  routing: { breaker: { failures: 100 } },
  // What ends at once must not need a limit to end it.
  broken: { max_retries: MAX_RETRIES, timeout: { idle: '5s', first_content: '5s' } },
});

for (const [what, fault] of [
  ['FIN', 'cut-fin'],
  ['RST', 'cut-reset'],
  ['a missing last chunk', 'cut-chunk'],
  ['a clean end without a finish_reason', 'cut-clean'],
  ['half an event and FIN', 'half-event'],
] as const) {
  everyStream(
    `a stream cut after content by ${what} ends with an error event, never looking finished`,
    async ({ rig, stream }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model, { stream });
      expectCut(seen, seen.error?.code ?? 'none');
      expect(['truncated', 'upstream_unreachable']).toContain(seen.error!.code!);
      expect(rig.steady.attemptsOf(model).length).toBe(0);
      const record = await rig.recordOf(seen);
      expect([record.outcome, record.status]).toEqual(['truncated', 200]);
      expect(['truncated', 'network']).toContain(record.fault!);
    },
  );

  everyWhole(
    `an unstreamed body cut by ${what} never reaches the caller: retried, then the next target`,
    async ({ rig }) => {
      const mended = fresh(`${fault}-x1`);
      expectWhole(await rig.ask(`broken/${mended}`), false);
      expect(rig.broken.attemptsOf(mended).length).toBe(2);
      const model = fresh(fault);
      expectWhole(await rig.ask(model), false);
      expect(rig.broken.attemptsOf(model).length).toBeLessThanOrEqual(1 + MAX_RETRIES);
      expect(rig.steady.attemptsOf(model).length).toBe(1);
    },
  );
}

everyStream(
  'a malformed event in the middle of a complete stream is dropped and counted',
  async ({ rig, stream }) => {
    const seen = await rig.ask(fresh('malformed'), { stream });
    expectWhole(seen, stream);
    const record = await rig.recordOf(seen);
    expect([record.outcome, record.malformed]).toEqual(['success', 1]);
  },
);

everyStream(
  'a malformed event in a stream that does not complete ends in an error event',
  async ({ rig, stream }) => {
    const seen = await rig.ask(fresh('malformed-cut'), { stream });
    expectCut(seen, seen.error!.code!);
    const record = await rig.recordOf(seen);
    expect(record.outcome).toBe('truncated');
    expect(['truncated', 'malformed']).toContain(record.fault!);
  },
);

everyWhole('an unstreamed body that is no JSON is retried, then the next target answers', async ({ rig }) => {
  const model = fresh('malformed');
  expectWhole(await rig.ask(model), false);
  expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
});

for (const [what, fault] of [
  ['without [DONE] and closed', 'no-done'],
  ['without [DONE] on a connection that stays open', 'no-done-open'],
  ['with [DONE] on a connection that stays open', 'done-open'],
] as const) {
  everyStream(
    `a complete stream ${what} is finished at once, with one [DONE] and its usage`,
    async ({ rig }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model, { stream: true });
      expectWhole(seen, true);
      expect(seen.usage).toMatchObject({ prompt_tokens: USAGE.input, completion_tokens: USAGE.output });
      const record = await rig.recordOf(seen);
      expect([record.outcome, record.input_tokens, record.output_tokens]).toEqual([
        'success',
        USAGE.input,
        USAGE.output,
      ]);
      await rig.broken.endedOf(model);
    },
  );
}

for (const [error, status] of [
  ['503', 503],
  ['429', 429],
  ['500', 500],
] as const) {
  everyWay(
    `an error ${error} in place of a 200 answer is retried and failed over like the status`,
    async ({ rig, stream }) => {
      for (const shape of ['error-first', 'error-json']) {
        const mended = fresh(`${shape}:${error}-x1`);
        expectWhole(await rig.ask(`broken/${mended}`, { stream }), stream);
        expect(rig.broken.attemptsOf(mended).length).toBe(2);
        const model = fresh(`${shape}:${error}`);
        const seen = await rig.ask(model, { stream });
        expectWhole(seen, stream);
        expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
        const alone = await rig.ask(`broken/${fresh(`${shape}:${error}`)}`, { stream });
        expect([alone.status, alone.done, alone.error !== undefined]).toEqual([status, 0, true]);
      }
    },
  );
}

everyWay(
  'an error of the caller’s in place of a 200 answer is told as a 400, asked once',
  async ({ rig, stream }) => {
    for (const shape of ['error-first', 'error-json']) {
      const model = fresh(`${shape}:400`);
      const seen = await rig.ask(model, { stream });
      expect([seen.status, seen.error!.message]).toEqual([400, expect.stringContaining('too hot')]);
      expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
    }
  },
);

everyWay(
  'a prompt too long that is told inside a 200 ends in 400 context_length_exceeded',
  async ({ rig, stream }) => {
    const seen = await rig.ask(`broken/${fresh('error-first:400-context')}`, { stream });
    expect([seen.status, seen.error!.code]).toEqual([400, 'context_length_exceeded']);
  },
);

everyStream(
  'an error event after content ends the stream with an error event, not with [DONE]',
  async ({ rig, stream }) => {
    const model = fresh('error-later:503');
    const seen = await rig.ask(model, { stream });
    expectCut(seen, seen.error!.code!);
    expect(seen.error!.message).toContain('Overloaded');
    expect(seen.events.filter((event) => event.error).length).toBe(1);
    expect(rig.broken.attemptsOf(model).length).toBe(1);
    const record = await rig.recordOf(seen);
    expect([record.outcome, record.fault]).toEqual(['truncated', 'overloaded']);
  },
);

for (const [what, fault] of [
  ['an HTML page with status 200', 'html'],
  ['an empty body with status 200', 'empty'],
] as const) {
  everyWay(`${what} is no answer: retried, then the next target`, async ({ rig, stream }) => {
    const model = fresh(fault);
    const seen = await rig.ask(model, { stream });
    expectWhole(seen, stream);
    expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
    const alone = await rig.ask(`broken/${fresh(fault)}`, { stream });
    expect([alone.status, alone.done]).toEqual([502, 0]);
    expect(['malformed_response', 'truncated']).toContain(alone.error!.code!);
  });
}

once('a stream cut before each of its choices came to its end does not look finished', async (rig) => {
  const seen = await rig.ask(fresh('half-of-two'), { stream: true, fields: { n: 2 } });
  expect([seen.status, seen.done, seen.error?.code]).toEqual([200, 0, 'truncated']);
  expect((await rig.recordOf(seen)).outcome).toBe('truncated');
});
