/** Tokens of identity providers in place of keys, from issuers on real sockets. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportSPKI, importJWK } from 'jose';
import type { IssuerConfig } from '../../src/config/schema/auth.ts';
import { schema } from '../../src/config/schema.ts';
import type { Client } from '../../src/server/client.ts';
import type { KnownKeys } from '../../src/server/tokens/tokens.ts';
import { Authenticator } from '../../src/server/auth.ts';
import { callerName } from '../../src/server/tokens/caller-name.ts';
import { IssuerPool } from '../../src/server/tokens/issuer-keys.ts';
import { TokenClients } from '../../src/server/tokens/token-clients.ts';
import { FakeClock } from '../helpers/clock.ts';
import type { Issuer } from '../helpers/issuer.ts';
import { AUDIENCE, issuer } from '../helpers/issuer.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';

let rsa: Issuer;
beforeAll(async () => void (rsa = await issuer()));
afterAll(() => rsa[Symbol.asyncDispose]());

const by = (token: string) => ({ authorization: `Bearer ${token}` });

interface Rig {
  readonly auth: Authenticator;
  readonly clock: FakeClock;
  readonly problems: string[];
  /** The caller, or a promise of it where the token must be verified first. */
  readonly client: (token: string) => Client | Promise<Client>;
}

/** An authenticator with one issuer and a clock that moves only when the test advances it. */
function rig(
  of: Issuer,
  more: object = {},
  clock = new FakeClock(Date.now()),
  others: readonly object[] = [],
): Rig {
  const { auth, groups } = schema.parse({
    providers: [{ name: 'm', type: 'mock' }],
    groups: { staff: { models: ['gpt-*'] }, admins: {} },
    auth: {
      keys: [
        { name: 'ci', key: 'ci-key' },
        { name: 'off', key: 'off-key', disabled: true },
        { name: 'short', key: 'short-key', expires: new Date(clock.now() + 60_000).toISOString() },
        { name: 'metrics', key: 'metrics-key', ops: 'only' },
      ],
      issuers: [{ name: 'corp', issuer: of.url, audience: AUDIENCE, ...more }, ...others],
    },
  });
  if (auth === undefined || auth === 'none') throw new Error('there is an issuer');
  const problems: string[] = [];
  const pool = new IssuerPool({ clock, problem: (message) => void problems.push(message) });
  const keys = pool.adopt(auth.issuers);
  const issuers = auth.issuers.map((each: IssuerConfig, index: number) => ({
    issuer: each,
    keys: keys[index]!,
  }));
  const tokens = (known: KnownKeys) => new TokenClients({ clock, groups, issuers, known });
  const authenticator = new Authenticator({ auth, groups }, { clock, secret: () => undefined, tokens });
  return { auth: authenticator, clock, problems, client: (token) => authenticator.client(by(token), 'chat') };
}

const refusal = async (made: Rig, token: string): Promise<[string, string]> => {
  try {
    const client = await made.client(token);
    return ['none', client.key ?? ''];
  } catch (thrown) {
    const { fault, message } = thrown as { fault: string; message: string };
    // The message must not repeat any part of the token.
    for (const part of token.split('.').filter(({ length }) => length > 8))
      expect(message).not.toContain(part);
    return [fault, message];
  }
};

describe('a token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('signed with %s is accepted', async (alg) => {
    await using made = await issuer(alg);
    const client = await rig(made).client(await made.token());
    expect(client).toMatchObject({ key: 'corp:alice', group: undefined, content: undefined });
  });

  test('that was seen before is accepted without a promise, as the same caller', async () => {
    const made = rig(rsa);
    const token = await rsa.token();
    const first = await made.client(token);
    expect(made.client(token)).toBe(first);
    expect(await made.client(await rsa.token({ jti: 'another' }))).toBe(first);
    expect(await made.client(await rsa.token({ sub: 'bob' }))).not.toBe(first);
  });

  test('expires at its exp plus the allowed skew, also when it is cached', async () => {
    const made = rig(rsa);
    const token = await rsa.token({ exp: Math.floor(made.clock.now() / 1_000) + 60 });
    await made.client(token);
    made.clock.advance(85_000);
    expect(made.client(token)).toMatchObject({ key: 'corp:alice' });
    made.clock.advance(10_000);
    expect(await refusal(made, token)).toEqual([
      'unauthenticated',
      'Cannot accept the token: it has expired',
    ]);
    expect(await refusal(made, token)).toEqual([
      'unauthenticated',
      'Cannot accept the token: it has expired',
    ]);
  });

  const now = () => Math.floor(Date.now() / 1_000);
  test.each([
    ['with another audience', { aud: 'other' }, '"aud"'],
    ['without an audience', { aud: undefined }, '"aud"'],
    ['that has expired', { exp: now() - 60 }, 'expired'],
    ['without an expiry', { exp: undefined }, '"exp"'],
    ['that is not valid yet', { nbf: now() + 600 }, 'not valid yet'],
    ['from an unknown issuer', { iss: 'https://elsewhere.example' }, 'issuer is unknown'],
    ['without an identity', { sub: undefined }, '"sub"'],
    ['with an identity that is no text', { sub: 5 as never }, '"sub"'],
  ])('%s is refused', async (_, claims, words) => {
    const [fault, message] = await refusal(rig(rsa), await rsa.token(claims));
    expect(fault).toBe('unauthenticated');
    expect(message).toContain(words);
  });

  test('that expired within the skew is accepted', async () => {
    expect(await rig(rsa).client(await rsa.token({ exp: now() - 10 }))).toMatchObject({ key: 'corp:alice' });
  });

  test('for one of several audiences is accepted', async () => {
    const made = rig(rsa, { audience: ['first', AUDIENCE] });
    expect(await made.client(await rsa.token({ aud: ['x', 'first'] }))).toMatchObject({ key: 'corp:alice' });
  });

  test('is found in any header, beside placeholders and tokens of other issuers', async () => {
    const made = rig(rsa);
    const good = await rsa.token();
    const others = [
      'sk.placeholder.text',
      await rsa.token({ iss: 'https://elsewhere.example' }),
      await rsa.token({ exp: now() - 60 }),
    ];
    for (const other of others) {
      for (const headers of [
        { ...by(other), 'x-api-key': good },
        { ...by(good), 'x-api-key': other },
        { 'x-api-key': other, 'api-key': others[0]!, 'x-goog-api-key': good },
      ])
        expect(await made.auth.client(headers, 'chat')).toMatchObject({ key: 'corp:alice' });
      const none = { ...by(other), 'x-api-key': others[0]! };
      await expect((async () => made.auth.client(none, 'chat'))()).rejects.toThrow('Cannot accept the token');
    }
  });

  test('that cannot be verified at the moment is answered with 503, also beside a placeholder', async () => {
    await using made = await issuer();
    made.fails = 500;
    const headers = { ...by('sk.placeholder.text'), 'x-api-key': await made.token() };
    await expect((async () => rig(made).auth.client(headers, 'chat'))()).rejects.toMatchObject({
      fault: 'unavailable',
    });
  });

  test('that is refused is refused for the most telling reason, wherever the others stand', async () => {
    await using down = await issuer();
    down.fails = 500;
    const past = now() - 60;
    const short = (await rsa.token({ exp: past })).split('.');
    // The least telling first.
    const reasons: [string, string][] = [
      ['placeholder', 'is unknown'],
      ['sk.placeholder.text', 'is not a valid JWT'],
      [await rsa.token({ iss: 'https://elsewhere.example' }), 'its issuer is unknown'],
      [`${short[0]}.${short[1]}.AAAA`, 'its signature is invalid'],
      [await rsa.token({ aud: 'other' }), '"aud"'],
      [await rsa.token({ exp: past }), 'it has expired'],
      ['off-key', '"off" is disabled'],
      [await down.token(), 'cannot be fetched at the moment'],
    ];
    const made = rig(rsa, {}, new FakeClock(Date.now()), [
      { name: 'down', issuer: down.url, audience: AUDIENCE },
    ]);
    for (const [index, [better, reason]] of reasons.entries()) {
      for (const [other] of reasons.slice(0, index)) {
        for (const headers of [
          { ...by(other), 'x-api-key': better },
          { ...by(better), 'x-api-key': other },
        ])
          await expect((async () => made.auth.client(headers, 'chat'))()).rejects.toThrow(reason);
      }
    }
  });

  test('of an issuer with several audiences is refused for the reason of the audience that it is for', async () => {
    const more = [{ name: 'second', issuer: rsa.url, audience: 'second' }];
    const made = rig(rsa, {}, new FakeClock(Date.now()), more);
    expect((await refusal(made, await rsa.token({ exp: now() - 60 })))[1]).toContain('it has expired');
    expect((await made.client(await rsa.token({ aud: 'second' }))).key).toBe('second:alice');
  });

  test('is accepted by one issuer while the keys of another cannot be fetched', async () => {
    await using down = await issuer();
    down.fails = 500;
    const more = [{ name: 'second', issuer: rsa.url, audience: AUDIENCE }];
    const made = rig(rsa, { jwks_url: `${down.url}/keys` }, new FakeClock(Date.now()), more);
    expect((await made.client(await rsa.token())).key).toBe('second:alice');
    expect((await refusal(made, await rsa.token({ exp: now() - 60 })))[0]).toBe('unavailable');
  });

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = () => ({ iss: rsa.url, aud: AUDIENCE, sub: 'mallory', exp: now() + 600 });

  test('with no signature is refused', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${part({ alg })}.${part(claims())}.`;
      expect((await refusal(rig(rsa), token))[0]).toBe('unauthenticated');
      expect((await refusal(rig(rsa), `${token}AAAA`))[0]).toBe('unauthenticated');
    }
  });

  test('signed with the public key as a shared secret is refused', async () => {
    const pem = await exportSPKI(
      (await importJWK(rsa.publicKey(), 'RS256', { extractable: true })) as CryptoKey,
    );
    const { kid } = rsa.publicKey();
    for (const secret of [pem, pem.trim(), JSON.stringify(rsa.publicKey())]) {
      const signed = `${part({ alg: 'HS256', kid })}.${part(claims())}`;
      const mac = createHmac('sha256', secret).update(signed).digest('base64url');
      const [fault, message] = await refusal(rig(rsa), `${signed}.${mac}`);
      expect([fault, message]).toEqual([
        'unauthenticated',
        'Cannot accept the token: its algorithm is not accepted here',
      ]);
    }
  });

  test('whose claims were changed, or that was signed by another issuer, is refused', async () => {
    const [header, , signature] = (await rsa.token()).split('.');
    const [fault, message] = await refusal(rig(rsa), `${header}.${part(claims())}.${signature}`);
    expect([fault, message]).toEqual([
      'unauthenticated',
      'Cannot accept the token: its signature is invalid',
    ]);
    await using other = await issuer();
    const forged = await other.token({ iss: rsa.url }, { kid: rsa.publicKey().kid });
    expect((await refusal(rig(rsa), forged))[0]).toBe('unauthenticated');
    // A key inside the token itself must not be trusted.
    const own = await other.token({ iss: rsa.url }, { kid: undefined, jwk: other.publicKey() });
    expect((await refusal(rig(rsa), own))[0]).toBe('unauthenticated');
  });

  test.each([
    ['letters', 'a.b.c'],
    ['nothing', '..'],
    ['empty objects', 'e30.e30.e30'],
    ['a long one', `${'A'.repeat(3_000)}.B.C`],
  ])('that is malformed is refused: %s', async (_, token) => {
    expect((await refusal(rig(rsa), token))[0]).toBe('unauthenticated');
  });

  test('does not open ops pages', async () => {
    const made = rig(rsa);
    const token = await rsa.token();
    await made.client(token);
    expect(made.auth.operates(by(token))).toBe(false);
    expect(() => made.auth.operator(by(token))).toThrow('is unknown');
  });
});

describe('claims of a token', () => {
  test('may name a key, whose rules apply', async () => {
    const made = rig(rsa, { key_claim: 'llm_key' });
    const client = await made.client(await rsa.token({ llm_key: 'ci' }));
    expect(client).toBe(await made.client('ci-key'));
    expect(await made.client(await rsa.token())).toMatchObject({ key: 'corp:alice' });
    expect((await refusal(made, await rsa.token({ llm_key: 'nobody' })))[0]).toBe('unauthenticated');
    expect((await refusal(made, await rsa.token({ llm_key: 7 })))[0]).toBe('unauthenticated');
    expect((await refusal(made, await rsa.token({ llm_key: 'off' })))[0]).toBe('not_permitted');
    expect((await refusal(made, await rsa.token({ llm_key: 'metrics' })))[0]).toBe('not_permitted');
  });

  test('may name a key that expires before the token', async () => {
    const made = rig(rsa, { key_claim: 'llm_key' });
    const token = await rsa.token({ llm_key: 'short' });
    expect(await made.client(token)).toMatchObject({ key: 'short' });
    made.clock.advance(61_000);
    expect(await refusal(made, token)).toMatchObject([
      'unauthenticated',
      expect.stringContaining('expired on'),
    ]);
  });

  test('may name a group, which otherwise comes from the issuer', async () => {
    const made = rig(rsa, { group_claim: 'groups', group: 'admins', log: 'none', identity_claim: 'email' });
    const ask = (claims: object) => rsa.token({ email: 'a@b.example', ...claims });
    expect(await made.client(await ask({ groups: 'staff' }))).toMatchObject({
      key: 'corp:a@b.example',
      group: 'staff',
      content: 'none',
    });
    const several = await made.client(await ask({ groups: ['others', 'staff', 'admins'] }));
    expect(several.group).toBe('staff');
    expect(several.access.allowsModel('claude')).toBe(false);
    expect((await made.client(await ask({}))).group).toBe('admins');
    for (const groups of ['others', [], ['others'], 5, 'toString'])
      expect((await refusal(made, await ask({ groups })))[0]).toBe('not_permitted');
  });

  test('callerName() keeps identities distinct and safe to print', () => {
    expect(callerName('corp', 'alice')).toBe('corp:alice');
    expect(callerName('corp', 'system:serviceaccount:ns:app')).toBe('corp:system:serviceaccount:ns:app');
    const odd = ['a b', 'a_b\n', 'a"b', 'ä', 'a~b', 'x'.repeat(500), `${'x'.repeat(500)}y`, ''];
    const names = odd.map((identity) => callerName('corp', identity));
    expect(new Set(names).size).toBe(odd.length);
    for (const name of names) expect(name).toMatch(/^corp:[\w.@+=|/:-]*~[0-9a-f]{16}$/);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(133);
  });
});

describe('the keys of an issuer', () => {
  test('are found by discovery or at jwks_url, and fetched once', async () => {
    await using made = await issuer();
    for (const more of [{}, { jwks_url: `${made.url}/keys` }]) {
      const before = made.fetches();
      const { client } = rig(made, more);
      const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => made.token({ sub })));
      const clients = await Promise.all(tokens.map(client));
      expect(clients.map(({ key }) => key)).toEqual(['corp:a', 'corp:b', 'corp:c']);
      expect(made.fetches() - before).toBe(1);
    }
  });

  test('are fetched again for an unknown key id, but not for every token with one', async () => {
    await using made = await issuer();
    const { client, clock, ...rest } = rig(made);
    await client(await made.token());
    await made.rotate();
    const token = await made.token();
    const all = { client, clock, ...rest };
    expect(await refusal(all, token)).toEqual([
      'unauthenticated',
      'Cannot accept the token: no key of its issuer matches it',
    ]);
    expect(made.fetches()).toBe(1);
    clock.advance(30_000);
    expect(await client(token)).toMatchObject({ key: 'corp:alice' });
    for (let index = 0; index < 5; index += 1)
      await refusal(all, await made.token({}, { kid: `no-${index}` }));
    expect(made.fetches()).toBe(2);
  });

  test('need no ids', async () => {
    await using made = await issuer();
    await made.rotate('RS256', { kid: false });
    const { client } = rig(made);
    const old = await made.token();
    await made.rotate('RS256', { kid: false, keep: true });
    expect(await client(await made.token({ sub: 'new' }))).toMatchObject({ key: 'corp:new' });
    expect(await client(old)).toMatchObject({ key: 'corp:alice' });
    await using other = await issuer();
    await other.rotate('RS256', { kid: false });
    expect((await refusal(rig(made), await other.token({ iss: made.url })))[1]).toContain('signature');
  });

  test('that cannot be fetched admit nobody, and are fetched again later', async () => {
    await using made = await issuer();
    made.fails = 500;
    const all = rig(made);
    const token = await made.token();
    expect((await refusal(all, token))[0]).toBe('unavailable');
    expect((await refusal(all, token))[0]).toBe('unavailable');
    expect(all.problems).toEqual(['Cannot fetch the keys of the identity provider "corp": it answers 500']);
    made.fails = undefined;
    all.clock.advance(1_000);
    expect(await all.client(token)).toMatchObject({ key: 'corp:alice' });
  });

  test('remain valid for an hour while they cannot be refreshed', async () => {
    await using made = await issuer();
    const all = rig(made);
    const later = (sub: string) => made.token({ sub, exp: Math.floor(Date.now() / 1_000) + 86_400 });
    const admitted = await later('a');
    await all.client(admitted);
    made.fails = 500;
    all.clock.advance(59 * 60_000);
    expect(await all.client(await later('b'))).toMatchObject({ key: 'corp:b' });
    all.clock.advance(2 * 60_000);
    expect((await refusal(all, await later('c')))[0]).toBe('unavailable');
    // A caller that was admitted stays admitted until the token expires.
    expect(await all.client(admitted)).toMatchObject({ key: 'corp:a' });
  });

  test('are not accepted from another issuer’s configuration, nor after a redirect', async () => {
    await using made = await issuer();
    const lies: readonly ((url: string) => Response)[] = [
      () => Response.json({ issuer: 'http://other.example', jwks_uri: `${made.url}/keys` }),
      (url) => Response.json({ issuer: url, jwks_uri: 'file:///etc/passwd' }),
      (url) => Response.json({ issuer: url }),
      () => Response.redirect(`${made.url}/.well-known/openid-configuration`),
      () => Response.json([]),
      () => new Response('<html>'),
      () => new Response('x'.repeat(2_000_000)),
    ];
    for (const lie of lies) {
      let url = '';
      await using liar = upstream(() => lie(url));
      ({ url } = liar);
      const token = await made.token({ iss: url });
      expect((await refusal(rig({ ...made, url }), token))[0]).toBe('unavailable');
    }
  });

  test('survive a reload', async () => {
    const pool = new IssuerPool({ clock: new FakeClock(), problem: () => undefined });
    const one = { name: 'one', issuer: 'http://a', jwks_url: undefined };
    const [first] = pool.adopt([one]);
    expect(pool.adopt([{ ...one }])[0]).toBe(first);
    expect(pool.adopt([{ ...one, issuer: 'http://b' }])[0]).not.toBe(first);
    expect(pool.adopt([one])[0]).not.toBe(first);
  });
});

test('a proxy accepts tokens in any header, records their callers, and answers 503 without keys to verify them', async () => {
  await using provided = upstream(() => completion('hi'));
  await using made = await issuer('ES256');
  await using down = await issuer();
  down.fails = 500;
  const issuers = [
    { name: 'corp', issuer: made.url, audience: AUDIENCE, group: 'staff' },
    { name: 'down', issuer: down.url, audience: AUDIENCE },
  ];
  await using proxy = running({
    providers: [provider('one', provided.url)],
    groups: { staff: { models: ['gpt-4o'], endpoints: ['chat', 'messages'] } },
    auth: { issuers },
  });
  const ask = (headers: Record<string, string>, body: object = CHAT, path = '/v1/chat/completions') =>
    proxy.post(path, body, { headers });
  const token = await made.token();
  expect((await ask(by(token))).status).toBe(200);
  expect((await ask({ 'x-api-key': token }, { ...CHAT, max_tokens: 5 }, '/v1/messages')).status).toBe(200);
  expect((await ask(by(token), { ...CHAT, model: 'gpt-5' })).status).toBe(403);
  expect((await ask(by(token), { model: 'gpt-4o', input: 'x' }, '/v1/embeddings')).status).toBe(403);
  expect((await ask(by(await made.token({ aud: 'x' })))).status).toBe(401);
  const unavailable = await ask(by(await down.token()));
  expect(unavailable.status).toBe(503);
  expect(unavailable.headers.get('retry-after')).toBe('1');
  expect((await fetch(`${proxy.url}/v1/models`, { headers: by(token) })).status).toBe(200);
  expect((await fetch(`${proxy.url}/metrics`, { headers: by(token) })).status).toBe(401);
  const records = await proxy.recorded(6);
  expect(records[0]!.key).toBe('corp:alice');
  expect(JSON.stringify(records)).not.toContain(token.split('.')[2]!);
  // A token signed by one issuer must not count as another's.
  expect((await ask(by(await made.token({ iss: down.url })))).status).toBe(503);
});
