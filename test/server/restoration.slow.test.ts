/** Whatever a client sends, no value reaches the provider, and what the provider repeats is restored. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { running } from '../helpers/proxy.ts';
import { speakerConfig } from '../helpers/speakers.ts';
import { answering } from '../helpers/scripted-answers.ts';
import { cutAt, cuts } from '../properties/cuts.ts';

type Redact = NonNullable<ConfigInput['providers'][number]['redact']>;

const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEowIBAAKCAQEA'.repeat(4)}\n-----END RSA PRIVATE KEY-----`;
const SAID = 'what is said';
const ASKED: Readonly<Record<keyof typeof CLIENTS, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: SAID }] },
  messages: { max_tokens: 9, messages: [{ role: 'user', content: SAID }] },
  responses: { input: SAID },
  gemini: { contents: [{ role: 'user', parts: [{ text: SAID }] }] },
};
const CLIENT_NAMES = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];
const WAYS = ['whole', 'stream'] as const;

describe('repeated text is restored exactly, and no value reaches the provider', () => {
  const secret = fc.oneof(
    fc.stringMatching(/^[a-z]{2,8}$/).map((name) => `${name}@corp.example.com`),
    fc.integer({ min: 1_000_000, max: 9_999_999 }).map((number) => `+49 151 ${number}`),
    fc.stringMatching(/^[A-Za-z0-9]{36}$/).map((text) => `ghp_${text}`),
    fc.constantFrom(PEM, '4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00'),
  );
  const filler = fc.oneof(
    fc.constantFrom(
      '[',
      '[E',
      '[EMAIL',
      '[EMAIL_',
      '[EMAIL_1]',
      '[EMAIL_2]',
      ']',
      '_1]',
      '"',
      '\\',
      '\n',
      '[[',
      '[PHONE_1',
      '{}',
      '[]',
      'é',
      '🙂',
    ),
    fc.stringMatching(/^[a-z]{1,6}$/),
  );
  const words = fc.array(fc.oneof({ arbitrary: secret, weight: 1 }, { arbitrary: filler, weight: 2 }), {
    minLength: 1,
    maxLength: 12,
  });
  const rule: Redact = { out: ['all'], restore: true };

  const echoing = (name: SpeakerName, places: () => readonly number[]) =>
    answering(name, (asked) => {
      const found = /<<([^]*?)>>/.exec(textsIn(JSON.parse(asked)))![1]!;
      return {
        reasoning: ['Hm.'],
        text: cutAt(found, places()),
        args: cutAt(JSON.stringify({ city: found }), places()),
      };
    });

  test.each(
    CLIENT_NAMES.flatMap((client) => [
      [client, client] as const,
      [client, client === 'messages' ? 'chat' : 'messages'] as const,
    ]),
  )('for a %s client with a %s provider', async (client, name) => {
    let places: readonly number[] = [];
    await using provided = echoing(name, () => places);
    await using proxy = running({ providers: [{ ...speakerConfig(name, provided.url), redact: rule }] });
    await fc.assert(
      fc.asyncProperty(words, cuts, fc.constantFrom(...WAYS), async (said, cutting, way) => {
        places = cutting;
        const text = said.join(' ');
        const { path, request, check, said: saidOf } = CLIENTS[client];
        const marked = JSON.parse(
          JSON.stringify(ASKED[client]).replace(JSON.stringify(SAID).slice(1, -1), () =>
            JSON.stringify(`<<${text}>>`).slice(1, -1),
          ),
        ) as JsonObject;
        const reply = await (
          await proxy.post(path, { ...request, ...marked, stream: way === 'stream' })
        ).text();
        const answer = saidOf(way === 'stream' ? check(reply).value : (JSON.parse(reply) as JsonObject));
        expect(answer.text).toBe(text);
        expect(JSON.parse(answer.calls[0]![1])).toEqual({ city: text });
        const sent = provided.asked.at(-1)!.text;
        for (const word of said)
          if (word.length > 10) expect(sent).not.toContain(JSON.stringify(word).slice(1, -1));
      }),
      { numRuns: 150 },
    );
  });
});

function textsIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(textsIn).join('\n');
}
