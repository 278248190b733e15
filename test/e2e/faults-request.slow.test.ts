/**
 * The compiled binary in front of providers that reject the request itself, because of the caller or the
 * model.
 */
import { expect } from 'bun:test';
import { ERRORS } from '../helpers/broken/errors.ts';
import { fresh } from '../helpers/caller.ts';
import { expectWhole, providerAt, theme } from '../helpers/rig.ts';

const { everyWay, bothModes, once } = theme({
  broken: { max_retries: 2, models: ['*', { name: 'short-*', context_window: 8_192 }] },
  steady: { models: ['*', { name: 'long-*', context_window: 100_000 }] },
  others: ({ broken, steady, protocol }) => [
    providerAt(protocol, 'small', broken, {
      models: [{ name: '400-context*', context_window: 8_192 }],
      priority: 10,
    }),
    providerAt(protocol, 'alike', steady, {
      models: [{ name: '400-context*', context_window: 8_192 }],
      priority: 11,
    }),
    providerAt(protocol, 'large', steady, {
      models: [{ name: '400-context*', context_window: 200_000 }],
      priority: 12,
    }),
  ],
  models: {
    larger: ['small/400-context#larger', 'alike/400-context#larger', 'large/400-context#larger'],
    alike: ['small/400-context#alike', 'alike/400-context#alike'],
    unknown: ['broken/400-context#unknown', 'steady/400-context#unknown'],
    strict: { targets: ['broken/400-policy#strict', 'steady/400-policy#strict'] },
    lenient: {
      targets: ['broken/400-policy#lenient', 'steady/400-policy#lenient'],
      content_policy: 'failover',
    },
  },
});

const message = (name: keyof typeof ERRORS, protocol: string): string => {
  const error = ERRORS[name];
  return protocol === 'anthropic' && 'anthropicMessage' in error ? error.anthropicMessage : error.message;
};

for (const fault of ['400', '422'] as const) {
  everyWay(
    `a ${fault} that is the client’s mistake is sent once, and the provider’s message is passed on`,
    async ({ rig, stream, protocol }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model, { stream });
      expect([seen.status, seen.error!.message]).toEqual([
        Number(fault),
        expect.stringContaining(message(fault, protocol)),
      ]);
      expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([1, 0]);
      expect((await rig.recordOf(seen)).outcome).toBe('error');
    },
  );
}

for (const fault of ['406', '409', '413', '415', '421', '423', '424', '431', '451']) {
  everyWay(`a ${fault} goes to the next target, and counts against nobody`, async ({ rig, stream }) => {
    const model = fresh(`status:${fault}`);
    for (let n = 0; n < 6; n += 1) expectWhole(await rig.ask(model, { stream }), stream);
    expect(rig.broken.attemptsOf(model).length).toBe(6);
    const alone = await rig.ask(`broken/${model}`, { stream });
    expect([alone.status, alone.error!.message]).toEqual([
      Number(fault),
      expect.stringContaining('Not here'),
    ]);
  });
}

everyWay(
  'a prompt that is too long goes to the next target if its context window is unknown: the operator listed it',
  async ({ rig, stream }) => {
    const seen = await rig.ask('unknown', { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
  },
);

bothModes(
  'a 4xx for the client’s mistake is relayed byte for byte when both use the same protocol',
  async ({ rig, stream }) => {
    const seen = await rig.ask(fresh('400'), { stream });
    const { message: words, openai } = ERRORS['400'];
    const [type, code] = openai;
    expect(seen.body).toBe(JSON.stringify({ error: { message: words, type, param: null, code } }));
  },
);

once('4xx for the client’s mistakes count against no target', async (rig) => {
  const models = ['400', '422', '400-policy'].map(fresh);
  for (const model of models) {
    for (let n = 0; n < 7; n += 1) await rig.ask(model);
    expect(rig.broken.attemptsOf(model).length).toBe(7);
  }
  const { targets } = await rig.provider('broken');
  const seen = targets.filter(({ model }) => models.includes(model));
  expect(seen.map(({ breaker, resting }) => [breaker, resting])).toEqual(models.map(() => ['closed', null]));
});

everyWay(
  'a prompt too long for one model goes to one with a larger context window, and skips one with the same',
  async ({ rig, stream, protocol }) => {
    const seen = await rig.ask('larger', { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('large');
    const { attempt_log: log } = await rig.recordOf(seen);
    expect(log.map(({ target, fault }) => [target.split('/')[0], fault])).toEqual([
      ['small', 'context_length'],
      ['large', null],
    ]);
    expect(protocol).toBeDefined();
  },
);

everyWay(
  'a prompt too long for every model ends with the provider’s own error, and each is tried at most once',
  async ({ rig, stream, protocol }) => {
    const seen = await rig.ask('alike', { stream });
    expect([seen.status, seen.error!.message]).toEqual([
      400,
      expect.stringContaining(message('400-context', protocol)),
    ]);
    expect(seen.error!.code).toBe('context_length_exceeded');
    expect((await rig.recordOf(seen)).attempts).toBe(1);
  },
);

everyWay(
  'a prompt that is too long is not sent again if no context window is known',
  async ({ rig, stream }) => {
    const model = fresh('400-context');
    const seen = await rig.ask(`broken/${model}`, { stream });
    expect([seen.status, seen.error!.code]).toEqual([400, 'context_length_exceeded']);
    expect(rig.broken.attemptsOf(model).length).toBe(1);
  },
);

everyWay(
  'a request refused for its content is neither retried nor failed over, and the client gets the reason',
  async ({ rig, stream, protocol }) => {
    for (const model of [fresh('400-policy'), 'strict']) {
      const seen = await rig.ask(model, { stream });
      expect([seen.status, seen.error!.message]).toEqual([
        400,
        expect.stringContaining(message('400-policy', protocol)),
      ]);
      expect((await rig.recordOf(seen)).attempts).toBe(1);
    }
  },
);

everyWay(
  'a request refused for its content goes to the next target on routes with content_policy: failover',
  async ({ rig, stream }) => {
    const seen = await rig.ask('lenient', { stream });
    expectWhole(seen, stream);
    const { attempt_log: log } = await rig.recordOf(seen);
    expect(log.map(({ target, fault }) => [target.split('/')[0], fault])).toEqual([
      ['broken', 'content_policy'],
      ['steady', null],
    ]);
  },
);

everyWay(
  'a model that one provider does not have is requested from the next, and this is remembered',
  async ({ rig, stream }) => {
    const model = fresh('404-model');
    for (let n = 0; n < 3; n += 1) {
      const seen = await rig.ask(model, { stream });
      expectWhole(seen, stream);
      expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
    }
    expect(rig.broken.attemptsOf(model).length).toBe(1);
    const other = fresh('say:yes');
    const there = await rig.ask(other, { stream });
    expect(there.headers.get('x-llmproxy-provider')).toBe('broken');
  },
);

everyWay('a model that no provider has ends in 404 model_not_found', async ({ rig, stream }) => {
  const model = fresh('404-model');
  const first = await rig.ask(`broken/${model}`, { stream });
  const second = await rig.ask(`broken/${model}`, { stream });
  for (const seen of [first, second]) {
    expect([seen.status, seen.error!.code]).toEqual([404, 'model_not_found']);
  }
  expect(rig.broken.attemptsOf(model).length).toBe(1);
});

everyWay('a 408 of a provider is its own timeout: retried, then the next target', async ({ rig, stream }) => {
  const model = fresh('408');
  expectWhole(await rig.ask(model, { stream }), stream);
  expect(rig.broken.attemptsOf(model).length).toBe(3);
});

for (const [fault, status] of [
  ['407', 502],
  ['408', 502],
  ['425', 503],
  ['498', 503],
  ['499', 502],
  ['400-limit', 429],
  ['500-context', 400],
] as const) {
  everyWay(
    `a ${fault} of the only provider does not blame the other side: ${status}`,
    async ({ rig, stream }) => {
      const seen = await rig.ask(`broken/${fresh(fault)}`, { stream });
      expect(seen.status).toBe(status);
      expect((await rig.recordOf(seen)).status).toBe(status);
    },
  );
}
