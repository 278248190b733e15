/** Client certificates as keys. test/e2e/tls shows that they are verified and come from TLS alone. */
import { expect, test } from 'bun:test';
import { schema } from '../../src/config/schema.ts';
import { Authenticator } from '../../src/server/auth.ts';
import type { CertificateNames } from '../../src/server/tls/client-certificate.ts';
import {
  alternativeNames,
  CERTIFICATE,
  keyFor,
  namesIn,
  sealNames,
} from '../../src/server/tls/client-certificate.ts';
import { FakeClock } from '../helpers/clock.ts';

const CI: CertificateNames = {
  subject: { CN: 'ci', O: 'acme', OU: ['one', 'two'] },
  alternative: ['DNS:ci.example.com', 'URI:spiffe://acme/ci'],
};

const shown = (names: CertificateNames) => ({ [CERTIFICATE]: sealNames(names) });

test('namesIn() reads what sealNames() sealed, and nothing else', () => {
  const { [CERTIFICATE]: sealed = '' } = shown(CI);
  expect(namesIn({ [CERTIFICATE]: sealed })).toEqual(CI);
  expect(namesIn({})).toBeUndefined();
  const names = encodeURIComponent(JSON.stringify(CI));
  for (const forged of ['', names, `${'0'.repeat(64)}${names}`, `é${sealed.slice(1)}`, sealed.slice(1)])
    expect(namesIn({ [CERTIFICATE]: forged })).toBeUndefined();
});

test.each([
  ['CN=ci', true],
  ['CN=ci, O=acme', true],
  ['O=acme,CN=ci', true],
  ['OU=two', true],
  ['DNS:ci.example.com', true],
  ['URI:spiffe://acme/ci', true],
  ['CN=c', false],
  ['CN=CI', false],
  ['CN=ci, O=other', false],
  ['DNS:example.com', false],
  ['DNS:ci', false],
  ['L=ci', false],
  ['constructor=ci', false],
])('keyFor() compares all of %s: %p', (subject, fits) => {
  expect(keyFor(CI, [{ subject, key: 'ci' }])).toBe(fits ? 'ci' : undefined);
});

test('keyFor() uses the first rule that matches', () => {
  const rules = ['CN=other', 'O=acme', 'CN=ci'].map((subject, index) => ({ subject, key: `k${index}` }));
  expect(keyFor(CI, rules)).toBe('k1');
});

test('alternativeNames() does not split a name that contains a comma', () => {
  const text = String.raw`URI:"spiffe://a\u002c DNS:admin\u002c x", DNS:ok.example`;
  expect(alternativeNames(text)).toEqual([
    String.raw`URI:"spiffe://a\u002c DNS:admin\u002c x"`,
    'DNS:ok.example',
  ]);
  expect(alternativeNames(undefined)).toEqual([]);
});

/** An authenticator that treats any text in three parts as a token of the same caller. */
function authenticator(): Authenticator {
  const { auth, groups, server } = schema.parse({
    providers: [{ name: 'm', type: 'mock' }],
    server: {
      tls: {
        cert: 'c',
        key: 'k',
        client_ca: 'a',
        client_certs: [
          { subject: 'CN=ci', key: 'ci' },
          { subject: 'CN=off', key: 'off' },
        ],
      },
    },
    auth: {
      keys: [
        { name: 'ci', ops: true },
        { name: 'alice', key: 'alice-key' },
        { name: 'old', key: 'old-key', disabled: true },
        { name: 'off', disabled: true },
      ],
    },
  });
  return new Authenticator(
    { auth, groups, server },
    {
      clock: new FakeClock(),
      secret: () => undefined,
      tokens: ({ named }) => ({
        resembles: (text) => text.split('.').length === 3,
        claims: (text) => text === 'a.b.c',
        client: () => named('alice'),
        again: () => named('alice'),
      }),
    },
  );
}

test('a certificate is used after keys and tokens, but before an unknown key is refused', () => {
  const auth = authenticator();
  const as = (key: string | undefined, names = CI) => {
    const headers = { ...(key === undefined ? {} : { 'x-api-key': key }), ...shown(names) };
    return auth.client(headers, 'chat');
  };
  expect(as(undefined)).toMatchObject({ key: 'ci' });
  expect(as('a placeholder')).toMatchObject({ key: 'ci' });
  expect(as('sk.place.holder')).toMatchObject({ key: 'ci' });
  expect(as('alice-key')).toMatchObject({ key: 'alice' });
  expect(as('a.b.c')).toMatchObject({ key: 'alice' });
  expect(() => as('old-key')).toThrow('"old" is disabled');
  expect(() => as(undefined, { subject: { CN: 'off' }, alternative: [] })).toThrow('"off" is disabled');
  expect(() => as(undefined, { subject: { CN: 'x' }, alternative: [] })).toThrow('no API key');
  expect(auth.operates(shown(CI))).toBeTrue();
});
