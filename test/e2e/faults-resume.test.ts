/**
 * The compiled binary on routes with `resume: on`: another target continues a stream that breaks off after
 * some text.
 */
import { expect } from 'bun:test';
import type { Seen } from '../helpers/caller.ts';
import type { Rig } from '../helpers/rig.ts';
import { TALE } from '../helpers/broken.ts';
import { fresh } from '../helpers/caller.ts';
import { expectCut, expectWhole, providerAt, theme } from '../helpers/rig.ts';

const CUTS = ['cut-fin', 'cut-reset', 'cut-chunk', 'cut-clean', 'half-event', 'stall'] as const;

/** Second targets: how they accept the beginning of an answer, and how they continue it. */
const SECONDS = ['prefilling', 'asked', 'messages'] as const;

function route(...targets: string[]): { targets: string[]; resume: 'on' } {
  return { targets, resume: 'on' };
}

const { everyStream } = theme({
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
      ['continue', 'continue-overlap', 'continue-over'].map((way) => [
        `${second} ${way}`,
        route(`broken/cut-fin#${second}-${way}`, `${second}/${way}#${second}`),
      ]),
    ),
    ...['prefilling', 'messages'].map((second) => [
      `${second} refused`,
      route(`broken/cut-fin#${second}-refused`, `${second}/continue-refused#${second}`),
    ]),
    ['thrice', route('broken/cut-fin#thrice', 'asked/continue-cut#thrice', 'prefilling/continue#thrice')],
    ['tool', route('broken/tool-cut#tool', 'asked/continue#tool')],
    ['thinking', route('broken/thinking-cut#thinking', 'asked/continue#thinking')],
    ['lost', route('broken/cut-fin#lost', 'asked/500#lost')],
    ['past', route('broken/cut-fin#past', 'asked/500#past', 'prefilling/continue#past')],
    ['alone', route('broken/cut-fin#alone')],
    ['left', route('broken/cut-fin#left', 'asked/ticking:20#left')],
    ['off', { targets: ['broken/cut-fin#off', 'asked/continue#off'] }],
  ]),
});

/** Expects one seamless answer: the complete text, one id, one model, one end. */
function expectUnbroken(seen: Seen): void {
  expectWhole(seen, true);
  const chunks = seen.events as { id: string; model: string; object: string }[];
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(new Set(chunks.map(({ model }) => model)).size).toBe(1);
  const roles = seen.body.match(/"role":"assistant"/g) ?? [];
  expect(roles.length).toBe(1);
}

/** The roles in the request that a target received. */
function rolesAt({ broken }: Rig, model: string): string[] {
  const { messages } = broken.attemptsOf(model).at(-1)!.body as { messages: { role: string }[] };
  return messages.map(({ role }) => role);
}

for (const cut of CUTS) {
  everyStream(
    `a stream broken after some text (${cut}) is continued by the next target: one answer, one id, one [DONE]`,
    async ({ rig }) => {
      const seen = await rig.ask(cut, { stream: true });
      expectUnbroken(seen);
      const { outcome, parts, attempts, provider } = await rig.recordOf(seen);
      expect([outcome, attempts]).toEqual(['success', 2]);
      expect(parts!.map(({ target }) => target)).toEqual([`broken/${cut}#plain`, `asked/continue#${cut}`]);
      expect(parts!.map(({ fault }) => fault === null)).toEqual([false, true]);
      expect(provider).toBeDefined();
    },
  );
}

for (const [second, roles] of [
  ['prefilling', ['user', 'assistant']],
  ['asked', ['user', 'assistant', 'user']],
  ['messages', ['user', 'assistant']],
] as const) {
  const how = roles.length === 2 ? 'by assistant prefill' : 'by asking it to continue';
  everyStream(
    `a target (${second}) gets the beginning ${how}, and nothing is lost or repeated where the parts join`,
    async ({ rig }) => {
      const seen = await rig.ask(`${second} continue`, { stream: true });
      expectUnbroken(seen);
      expect(rolesAt(rig, `continue#${second}`)).toEqual([...roles]);
    },
  );

  everyStream(`text that a target (${second}) repeats from the end is removed`, async ({ rig }) => {
    expectUnbroken(await rig.ask(`${second} continue-overlap`, { stream: true }));
  });

  everyStream(`when a target (${second}) begins again, only the new part is forwarded`, async ({ rig }) => {
    expectUnbroken(await rig.ask(`${second} continue-over`, { stream: true }));
  });
}

for (const second of ['prefilling', 'messages'] as const) {
  everyStream(
    `a target (${second}) that refuses prefill is asked to continue by an instruction, and this is remembered`,
    async ({ rig }) => {
      const model = `continue-refused#${second}`;
      expectUnbroken(await rig.ask(`${second} refused`, { stream: true }));
      expect(rig.broken.attemptsOf(model).length).toBe(2);
      expectUnbroken(await rig.ask(`${second} refused`, { stream: true }));
      expect(rig.broken.attemptsOf(model).length).toBe(3);
      expect(rolesAt(rig, model)).toEqual(['user', 'assistant', 'user']);
      const provider = await rig.provider(second);
      expect(provider.targets.find((target) => target.model === model)!.breaker).toBe('closed');
    },
  );
}

everyStream(
  'a continuation that also breaks is continued by a third target, and the record lists all parts',
  async ({ rig }) => {
    const seen = await rig.ask('thrice', { stream: true });
    expectUnbroken(seen);
    const { parts, input_tokens: input, output_tokens: output } = await rig.recordOf(seen);
    expect(parts!.map(({ target }) => target)).toEqual([
      'broken/cut-fin#thrice',
      'asked/continue-cut#thrice',
      'prefilling/continue#thrice',
    ]);
    const sum = (key: 'input_tokens' | 'output_tokens') =>
      parts!.reduce((all, part) => all + (part[key] ?? 0), 0);
    expect([input, output]).toEqual([sum('input_tokens'), sum('output_tokens')]);
  },
);

for (const [what, name] of [
  ['a tool call in progress', 'tool'],
  ['signed reasoning', 'thinking'],
] as const) {
  everyStream(
    `${what} is not resumed: it ends with an error event, and no other target is tried`,
    async ({ rig, protocol }) => {
      // Reasoning of OpenAI-type providers has no signature.
      if (name === 'thinking' && protocol === 'openai') return;
      const seen = await rig.ask(name, { stream: true });
      expect([seen.status, seen.done, seen.finish, seen.error?.code]).toEqual([200, 0, null, 'truncated']);
      expect(rig.broken.attemptsOf(`continue#${name}`).length).toBe(0);
      expect((await rig.recordOf(seen)).outcome).toBe('truncated');
    },
  );
}

everyStream('a stream that nobody can go on with ends with an error event', async ({ rig }) => {
  for (const name of ['lost', 'alone']) {
    const seen = await rig.ask(name, { stream: true });
    expectCut(seen, 'truncated');
    expect((await rig.recordOf(seen)).outcome).toBe('truncated');
  }
});

everyStream('a target that fails to go on is passed over for the one after it', async ({ rig }) => {
  expectUnbroken(await rig.ask('past', { stream: true }));
});

everyStream('without resume: on a broken stream stays broken, and nobody else is asked', async ({ rig }) => {
  expectCut(await rig.ask('off', { stream: true }), 'truncated');
  expect(rig.broken.attemptsOf('continue#off').length).toBe(0);
});

everyStream('a client that disconnects from a resumed stream cancels the continuation', async ({ rig }) => {
  const abort = new AbortController();
  const watch = (body: string) => {
    if (body.includes('tick')) abort.abort();
  };
  const asking = rig.ask('left', { stream: true, signal: abort.signal, watch });
  expect(await asking.catch((error: Error) => error.name)).toBe('AbortError');
  const model = 'ticking:20#left';
  const [second] = await rig.broken.endedOf(model);
  const [record] = await rig.recordsOf('left', 1);
  expect([record!.outcome, second!.aborted]).toEqual(['client_abort', true]);
});

const everywhere = theme({ routing: { resume: 'on' }, broken: { timeout: { idle: '300ms' } } });

everywhere.everyStream('routing.resume: on holds for every name', async ({ rig }) => {
  const model = fresh('cut-fin');
  const seen = await rig.ask(model, { stream: true });
  // The steady target only has the complete text, and starts from the beginning.
  expectUnbroken(seen);
  expect(seen.content).toBe(TALE);
  expect(rig.steady.attemptsOf(model).length).toBe(1);
});
