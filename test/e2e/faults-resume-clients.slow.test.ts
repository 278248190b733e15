/** The compiled binary on routes with `resume: on`, called by clients of every protocol. */
import { expect } from 'bun:test';
import type { Seen } from '../helpers/caller.ts';
import type { Client } from '../helpers/callers/speech.ts';
import { TALE } from '../helpers/broken.ts';
import { fresh, looksFinished, tokensOf } from '../helpers/caller.ts';
import { expectCut, expectWhole, providerAt, theme } from '../helpers/rig.ts';

const CUTS = [
  'cut-fin',
  'cut-reset',
  'cut-chunk',
  'cut-clean',
  'half-event',
  'stall',
  'error-later:503',
  'ends:error',
] as const;

/** Second targets: how they accept the beginning of an answer, and how they continue it. */
const SECONDS = ['prefilling', 'asked', 'messages'] as const;
const WAYS = ['continue', 'continue-overlap', 'continue-over'] as const;

function route(...targets: string[]): { targets: string[]; resume: 'on' } {
  return { targets, resume: 'on' };
}

const { everyClientStream } = theme({
  routing: { breaker: { failures: 100 } },
  broken: { timeout: { idle: '300ms' } },
  others: ({ broken }) => [
    providerAt('openai', 'prefilling', broken, {
      models: [{ name: 'continue*', prefill: true }],
      priority: 7,
    }),
    providerAt('openai', 'asked', broken, { models: ['continue*', '500*', 'ticking*'], priority: 8 }),
    providerAt('anthropic', 'messages', broken, { models: ['continue*'], priority: 9 }),
  ],
  models: Object.fromEntries([
    ...CUTS.map((cut) => [`${cut}`, route(`broken/${cut}#plain`, `asked/continue#${cut}`)]),
    ...SECONDS.flatMap((second) =>
      WAYS.map((way) => [
        `${second} ${way}`,
        route(`broken/cut-fin#${second}-${way}`, `${second}/${way}#${second}`),
      ]),
    ),
    ['thrice', route('broken/cut-fin#thrice', 'asked/continue-cut#thrice', 'messages/continue#thrice')],
    ['untold', route('broken/cut-fin#untold', 'asked/continue-untold#untold')],
    ['tool', route('broken/tool-cut#tool', 'asked/continue#tool')],
    ['thinking', route('broken/thinking-cut#thinking', 'asked/continue#thinking')],
    ['lost', route('broken/cut-fin#lost', 'asked/500#lost')],
    ['left', route('broken/cut-fin#left', 'asked/ticking:20#left')],
    ['off', { targets: ['broken/cut-fin#off', 'asked/continue#off'] }],
  ]),
});

/** The first and the last event of an answer, each of which must occur exactly once. */
const ONCE: Readonly<Record<Client, readonly string[]>> = {
  chat: [],
  gemini: [],
  ollama: [],
  messages: ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop'],
  responses: [
    'response.created',
    'response.output_item.added',
    'response.output_text.done',
    'response.output_item.done',
    'response.completed',
  ],
};

/** Expects one seamless answer: the complete text, one start, one end, one model name. */
function expectUnbroken(seen: Seen): void {
  expectWhole(seen, true);
  const count = (wanted: string) => seen.events.filter(({ type }) => type === wanted).length;
  expect(ONCE[seen.client].map((type) => [type, count(type)])).toEqual(
    ONCE[seen.client].map((type) => [type, 1]),
  );
  if (seen.client !== 'responses') return;
  expect(seen.events.map(({ sequence_number }) => sequence_number)).toEqual(seen.events.map((_, at) => at));
  const names = seen.events.flatMap(({ response }) =>
    response ? [(response as { id: string; model: string }).id] : [],
  );
  expect(new Set(names).size).toBe(1);
}

for (const cut of CUTS) {
  everyClientStream(
    `a stream broken after some text (${cut}) is continued by the next target, with the usage of both`,
    async ({ rig, ask }) => {
      const seen = await ask(cut);
      expectUnbroken(seen);
      const {
        outcome,
        finish,
        parts,
        attempts,
        input_tokens: input,
        output_tokens: output,
      } = await rig.recordOf(seen);
      expect([outcome, finish, attempts]).toEqual(['success', 'stop', 2]);
      expect(parts!.map(({ target }) => target)).toEqual([`broken/${cut}#plain`, `asked/continue#${cut}`]);
      expect(tokensOf(seen)).toEqual({ input: input!, output: output! });
    },
    // In the other protocols, the text is closed before the finish reason is sent, so it is no longer in
    // progress.
    ({ protocol }) => cut !== 'ends:error' || protocol === 'openai',
  );
}

for (const second of SECONDS) {
  for (const way of WAYS) {
    everyClientStream(
      `a target (${second}) gets the beginning, and nothing is lost or repeated where the parts join (${way})`,
      async ({ ask }) => expectUnbroken(await ask(`${second} ${way}`)),
    );
  }
}

everyClientStream(
  'a continuation without a finish reason is passed on, and not recorded as a success',
  async ({ rig, ask }) => {
    const seen = await ask('untold');
    expect(seen.content).toBe(TALE);
    expect(await rig.recordOf(seen)).toMatchObject({
      outcome: 'truncated',
      fault: 'unknown_ending',
      finish: null,
    });
  },
);

everyClientStream(
  'a continuation that also breaks is continued by a third target, with the usage of all',
  async ({ rig, ask }) => {
    const seen = await ask('thrice');
    expectUnbroken(seen);
    const { parts, input_tokens: input, output_tokens: output } = await rig.recordOf(seen);
    expect(parts!.map(({ target }) => target)).toEqual([
      'broken/cut-fin#thrice',
      'asked/continue-cut#thrice',
      'messages/continue#thrice',
    ]);
    expect(tokensOf(seen)).toEqual({ input: input!, output: output! });
  },
);

for (const [what, name] of [
  ['a tool call in progress', 'tool'],
  ['signed reasoning', 'thinking'],
] as const) {
  everyClientStream(
    `${what} is not resumed: it ends with an error event, and no other target is tried`,
    async ({ rig, ask, protocol }) => {
      // Reasoning of OpenAI-type providers and Ollama has no signature.
      if (name === 'thinking' && (protocol === 'openai' || protocol === 'ollama')) return;
      // These protocols send calls whole, so a call that was cut does not appear.
      if (name === 'tool' && (protocol === 'gemini' || protocol === 'ollama')) return;
      const seen = await ask(name);
      expect([seen.status, seen.done, seen.finish, looksFinished(seen)]).toEqual([200, 0, null, false]);
      expect(rig.broken.attemptsOf(`continue#${name}`).length).toBe(0);
      expect((await rig.recordOf(seen)).outcome).toBe('truncated');
    },
  );
}

everyClientStream(
  'a stream that no target can continue, or is allowed to, ends with an error event',
  async ({ rig, ask }) => {
    for (const name of ['lost', 'off', `broken/${fresh('cut-fin')}`]) {
      const seen = await ask(name);
      // On a busy machine, the idle timeout may expire before the cut.
      expectCut(seen, 'truncated', 'timeout_idle');
      expect((await rig.recordOf(seen)).outcome).toBe('truncated');
    }
  },
);

everyClientStream(
  'a client that disconnects from a resumed stream cancels the continuation',
  async ({ rig, ask }) => {
    const abort = new AbortController();
    const watch = (body: string) => {
      if (body.includes('tick')) abort.abort();
    };
    const asking = ask('left', { signal: abort.signal, watch });
    expect(await asking.catch((error: Error) => error.name)).toBe('AbortError');
    const [attempt] = await rig.broken.endedOf('ticking:20#left');
    expect(attempt!.aborted).toBe(true);
  },
);
