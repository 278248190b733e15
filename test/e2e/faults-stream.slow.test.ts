/**
 * The compiled binary in front of providers whose answers with status 200 are cut, malformed or not answers
 * at all.
 */
import { expect } from 'bun:test';
import { ENDS_AT_ONCE, USAGE } from '../helpers/broken/wire.ts';
import { fresh, tokensOf } from '../helpers/caller.ts';
import { expectCut, expectError, expectWhole, theme } from '../helpers/rig.ts';

const MAX_RETRIES = 1;

const { everyClient, everyClientStream, everyClientWhole, once } = theme({
  routing: { breaker: { failures: 100 } },
  // Long enough that no answer ends because of a time limit.
  broken: { max_retries: MAX_RETRIES, timeout: { idle: '5s', first_content: '5s' } },
});

for (const [what, fault] of [
  ['FIN', 'cut-fin'],
  ['RST', 'cut-reset'],
  ['a missing last chunk', 'cut-chunk'],
  ['a clean end without a finish_reason', 'cut-clean'],
  ['half an event and FIN', 'half-event'],
] as const) {
  everyClientStream(
    `a stream cut after content by ${what} ends with an error event, and never looks complete`,
    async ({ rig, ask }) => {
      const model = fresh(fault);
      const seen = await ask(model);
      expectCut(seen, 'truncated', 'upstream_unreachable');
      expect(rig.steady.attemptsOf(model).length).toBe(0);
      const record = await rig.recordOf(seen);
      expect([record.outcome, record.status]).toEqual(['truncated', 200]);
      expect(['truncated', 'network']).toContain(record.fault!);
    },
  );

  everyClientWhole(
    `an unstreamed body cut by ${what} never reaches the client: it is retried, then the next target answers`,
    async ({ rig, ask }) => {
      const mended = fresh(`${fault}-x1`);
      expectWhole(await ask(`broken/${mended}`), false);
      expect(rig.broken.attemptsOf(mended).length).toBe(2);
      const model = fresh(fault);
      expectWhole(await ask(model), false);
      expect(rig.broken.attemptsOf(model).length).toBeLessThanOrEqual(1 + MAX_RETRIES);
      expect(rig.steady.attemptsOf(model).length).toBe(1);
    },
  );
}

everyClientStream(
  'a malformed event in the middle of a complete stream is dropped and counted',
  async ({ rig, stream, ask }) => {
    const seen = await ask(fresh('malformed'));
    expectWhole(seen, stream);
    const record = await rig.recordOf(seen);
    expect([record.outcome, record.malformed]).toEqual(['success', 1]);
  },
);

everyClientStream(
  'a malformed event in a stream that does not complete ends in an error event',
  async ({ rig, ask }) => {
    const seen = await ask(fresh('malformed-cut'));
    expectCut(seen);
    const record = await rig.recordOf(seen);
    expect(record.outcome).toBe('truncated');
    expect(['truncated', 'malformed']).toContain(record.fault!);
  },
);

everyClientWhole(
  'an unstreamed body that is not JSON is retried, then the next target answers',
  async ({ rig, ask }) => {
    const model = fresh('malformed');
    expectWhole(await ask(model), false);
    expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
  },
);

for (const [what, fault] of [
  ['without [DONE] and closed', 'no-done'],
  ['without [DONE] on a connection that stays open', 'no-done-open'],
  ['with [DONE] on a connection that stays open', 'done-open'],
] as const) {
  everyClientStream(
    `a complete stream ${what} is finished at once, with one [DONE] and its usage`,
    async ({ rig, ask }) => {
      const model = fresh(fault);
      const seen = await ask(model);
      expectWhole(seen, true);
      expect(tokensOf(seen)).toEqual(USAGE);
      const record = await rig.recordOf(seen);
      expect([record.outcome, record.input_tokens, record.output_tokens]).toEqual([
        'success',
        USAGE.input,
        USAGE.output,
      ]);
      await rig.broken.endedOf(model);
    },
    // In some protocols, only the last event contains the finish reason and the usage.
    ({ protocol }) => !ENDS_AT_ONCE.has(protocol) || fault === 'done-open',
  );
}

everyClientStream(
  'an answer without its final event is not complete, however much it contains',
  async ({ rig, ask }) => {
    const seen = await ask(fresh('no-done'));
    expectCut(seen, 'truncated');
    expect((await rig.recordOf(seen)).outcome).toBe('truncated');
  },
  ({ protocol }) => ENDS_AT_ONCE.has(protocol),
);

for (const [error, status] of [
  ['503', 503],
  ['429', 429],
  ['500', 502],
] as const) {
  everyClient(
    `an error ${error} inside a 200 is retried and failed over like the status`,
    async ({ rig, stream, ask, protocol }) => {
      for (const shape of ['error-first', 'error-opened', 'error-json']) {
        const mended = fresh(`${shape}:${error}-x1`);
        expectWhole(await ask(`broken/${mended}`), stream);
        expect(rig.broken.attemptsOf(mended).length).toBe(2);
        const model = fresh(`${shape}:${error}`);
        const seen = await ask(model);
        expectWhole(seen, stream);
        expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
        const alone = await ask(`broken/${fresh(`${shape}:${error}`)}`);
        // If the error contains a status, it is the provider's own. Ollama's errors are only text.
        const named = protocol === 'gemini' || (protocol === 'openai' && stream && shape !== 'error-json');
        expectError(alone, named ? Number(error) : protocol === 'ollama' ? 502 : status);
      }
    },
  );
}

everyClient(
  'an error for the client’s mistake inside a 200 becomes a 400, and the request is sent once',
  async ({ rig, ask }) => {
    for (const shape of ['error-first', 'error-opened', 'error-json']) {
      const model = fresh(`${shape}:400`);
      const seen = await ask(model);
      expectError(seen, 400);
      expect(seen.error!.message).toContain('too hot');
      expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
    }
  },
  // Text alone does not say who caused the error.
  ({ protocol }) => protocol !== 'ollama',
);

everyClient(
  'an error inside a 200 about a prompt that is too long becomes a 400 context_length_exceeded',
  async ({ ask }) => {
    const seen = await ask(`broken/${fresh('error-first:400-context')}`);
    expectError(seen, 400, 'context_length_exceeded');
    expect(seen.error!.message).toMatch(/too long|maximum context length/);
  },
);

everyClientStream(
  'an error event after content ends the stream with an error event, not with [DONE]',
  async ({ rig, ask, protocol }) => {
    const model = fresh('error-later:503');
    const seen = await ask(model);
    expectCut(seen);
    expect(seen.error!.message).toContain('Overloaded');
    expect(rig.broken.attemptsOf(model).length).toBe(1);
    const record = await rig.recordOf(seen);
    expect([record.outcome, record.fault]).toEqual([
      'truncated',
      protocol === 'ollama' ? 'server' : 'overloaded',
    ]);
  },
);

for (const [what, fault] of [
  ['an HTML page with status 200', 'html'],
  ['an empty body with status 200', 'empty'],
] as const) {
  everyClient(`${what} is no answer: retried, then the next target`, async ({ rig, stream, ask }) => {
    const model = fresh(fault);
    const seen = await ask(model);
    expectWhole(seen, stream);
    expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
    const alone = await ask(`broken/${fresh(fault)}`);
    expectError(alone, 502, 'malformed_response', 'truncated');
  });
}

once('a stream cut before each of its choices came to its end does not look finished', async (rig) => {
  const seen = await rig.ask(fresh('half-of-two'), { stream: true, fields: { n: 2 } });
  expect([seen.status, seen.done, seen.error?.code]).toEqual([200, 0, 'truncated']);
  expect((await rig.recordOf(seen)).outcome).toBe('truncated');
});
