import { createHash } from 'node:crypto';
import { expect, test } from 'bun:test';
import type { KeyConfig } from '../../src/config/schema/auth.ts';
import { schema } from '../../src/config/schema.ts';
import { Authenticator } from '../../src/server/auth.ts';
import { FakeClock } from '../helpers/clock.ts';

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const PLAIN = { limits: [], disabled: false, labels: {} };
const by = (key: string) => ({ authorization: `Bearer ${key}` });

function authenticator(keys: readonly KeyConfig[], clock = new FakeClock()): Authenticator {
  const { groups } = schema.parse({ providers: [{ name: 'm', type: 'mock' }] });
  return new Authenticator({ auth: { keys, issuers: [] }, groups }, { clock, secret: () => undefined });
}

test('a rotated key works until its end', () => {
  const clock = new FakeClock();
  const until = clock.now() + 60_000;
  const key = { ...PLAIN, name: 'k', hash: hash('new'), previous: [{ hash: hash('old'), until }] };
  const auth = authenticator([key], clock);
  const caller = auth.client(by('new'), 'chat');
  expect(auth.client(by('old'), 'chat')).toBe(caller);
  clock.advance(59_999);
  expect(auth.client(by('old'), 'chat')).toBe(caller);
  clock.advance(1);
  expect(() => auth.client(by('old'), 'chat')).toThrow('the API key "k" was rotated');
  expect(auth.client(by('new'), 'chat')).toBe(caller);
});

test('a key works until the end of the day on which it expires', () => {
  const clock = new FakeClock(Date.parse('2026-03-04T23:59:59.999Z'));
  const auth = authenticator(
    [{ ...PLAIN, name: 'k', hash: hash('key'), expires: Date.parse('2026-03-05') }],
    clock,
  );
  expect(auth.client(by('key'), 'chat')).toMatchObject({ key: 'k' });
  expect(auth.operates(by('key'))).toBe(true);
  clock.advance(1);
  expect(() => auth.client(by('key'), 'chat')).toThrow('the API key "k" expired on 2026-03-04');
  expect(() => auth.operator(by('key'))).toThrow('expired on 2026-03-04');
  expect(auth.operates(by('key'))).toBe(false);
});

test('details of a key are shown only to callers that have it', () => {
  const auth = authenticator([{ ...PLAIN, name: 'k', hash: hash('key'), disabled: true }]);
  expect(() => auth.client(by('key'), 'chat')).toThrow('"k" is disabled');
  expect(() => auth.client(by('kez'), 'chat')).toThrow('the API key is unknown');
});

test('a caller is the same object for all its requests', () => {
  const keys = Array.from({ length: 2_000 }, (_, index) => ({
    ...PLAIN,
    name: `k${index}`,
    hash: hash(`key-${index}`),
  }));
  const auth = authenticator(keys);
  for (const index of [0, 1, 999, 1_999]) {
    const first = auth.client(by(`key-${index}`), 'chat');
    expect(first).toMatchObject({ key: `k${index}` });
    expect(auth.client({ 'x-api-key': `key-${index}` }, 'embeddings')).toBe(first);
  }
});

test('the only key may read ops pages, but not the first of several', () => {
  const key = (name: string) => ({ ...PLAIN, name, hash: hash(name) });
  expect(authenticator([key('a')]).operates(by('a'))).toBe(true);
  expect(authenticator([key('a'), key('b')]).operates(by('a'))).toBe(false);
  const { groups } = schema.parse({ providers: [{ name: 'm', type: 'mock' }] });
  const deps = { clock: new FakeClock(), secret: () => undefined };
  const fromFile = new Authenticator(
    { auth: { keys: [key('a')], keys_file: 'keys.yaml', issuers: [] }, groups },
    deps,
  );
  expect(fromFile.operates(by('a'))).toBe(false);
});

test('keys whose hashes begin alike are distinct', () => {
  const alike = `${hash('b').slice(0, -1)}${hash('b').endsWith('0') ? '1' : '0'}`;
  const keys = [
    { ...PLAIN, name: 'a', hash: alike },
    { ...PLAIN, name: 'b', hash: hash('b') },
  ];
  for (const each of [keys, keys.toReversed()])
    expect(authenticator(each).client(by('b'), 'chat')).toMatchObject({ key: 'b' });
  expect(() => authenticator([keys[0]!]).client(by('b'), 'chat')).toThrow('the API key is unknown');
});
