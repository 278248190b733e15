/** Requests to a provider use its own name for the model, whatever the client calls it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Running } from '../helpers/proxy.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { COUNTING } from '../../src/pipeline/lanes/count.ts';
import { EMBEDDINGS } from '../../src/pipeline/lanes/embed.ts';
import { PROTOCOLS } from '../../src/pipeline/lanes/translate.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { running } from '../helpers/proxy.ts';
import { SPEAKERS, speakerConfig } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

const CLIENT = 'the-clients-name';
/** A name that is valid for every provider of embeddings. */
const OWN = 'cohere.embed-v4:0';

const context = { model: OWN, quirks: {}, created: 1, newId: () => 'id', memory: NO_MEMORY };
const chat = { model: CLIENT, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 };
const BODIES = [
  ...Object.entries(PROTOCOLS).map(([name, { encode }]) => [name, encode(chat, context).body] as const),
  ...Object.entries(COUNTING).map(([name, { encode }]) => [`${name} count`, encode(chat, context)] as const),
  ...Object.entries(EMBEDDINGS).map(
    ([name, { encode }]) => [`${name} embeddings`, encode({ model: CLIENT, input: 'Hi' }, OWN).body] as const,
  ),
];

test.each(BODIES)('the body of %s never contains the client’s name of the model', (_, body) => {
  expect(JSON.stringify(body)).not.toContain(CLIENT);
  if (body.model !== undefined) expect(body.model).toBe(OWN);
});

const ASKED = [
  ...Object.values(CLIENTS).map(({ path, request }) => [path, request] as const),
  ['/v1/embeddings', { input: 'Hi' }],
] as const;

describe.each(Object.keys(SPEAKERS) as SpeakerName[])('a provider with the protocol %s', (name) => {
  let provided: Upstream;
  let proxy: Running;

  beforeAll(() => {
    provided = upstream(() => Response.json(SPEAKERS[name].whole));
    const provider = speakerConfig(name, provided.url);
    proxy = running({
      providers: [
        { ...provider, models: [OWN] },
        { ...provider, name: 'renaming', models: [{ name: CLIENT, upstream: OWN }] },
      ],
      models: { 'a-route': [`${name}/${OWN}`] },
    });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await provided[Symbol.asyncDispose]();
  });

  test.each(ASKED)('gets its own model name for requests to %s', async (path, request) => {
    for (const model of [CLIENT, `${name}/${OWN}`, 'a-route']) {
      await (await proxy.post(path, { ...request, model })).text();
      const all = provided.asked.splice(0);
      if (path !== '/v1/embeddings') expect(all).not.toBeEmpty();
      for (const asked of all) {
        const sent = decodeURIComponent(asked.path) + asked.text;
        expect(sent).toContain(OWN);
        for (const foreign of [CLIENT, `${name}/${OWN}`, 'a-route']) expect(sent).not.toContain(foreign);
      }
    }
  });
});
