/** E-mail and IP addresses. */
import { faker as de } from '@faker-js/faker/locale/de';
import { faker as en } from '@faker-js/faker/locale/en';
import { faker as fr } from '@faker-js/faker/locale/fr';
import { faker as pl } from '@faker-js/faker/locale/pl';
import { faker as vi } from '@faker-js/faker/locale/vi';
import type { Case } from './case.ts';
import type { Chance } from './seeded.ts';
import { sample } from './seeded.ts';
import { placed, PLAIN_SENTENCES } from './sentences.ts';

const EMAIL_SENTENCES = [
  ...PLAIN_SENTENCES,
  'Jane Doe <%>',
  'mailto:%?subject=hello',
  'From: %\nTo: all',
  'user=%&x=1',
  'write to %!',
];

const EMAIL_SHAPES = [
  '[a-z]{3,8}\\.[a-z]{4,9}\\+[a-z]{3}@[a-z]{5,9}\\.(?:com|io|co\\.uk|de)',
  '[a-z]_[a-z]{5}@sub\\.[a-z]{4,8}-[a-z]{4}\\.(?:org|museum|dev)',
  "o'[a-z]{5}@[a-z]{6}\\.ie",
  'müller\\.[a-z]{4}@größe-[a-z]{3}\\.de',
  '[A-Z]{4,8}@[A-Z]{5}\\.COM',
  '\\d{5,10}@qq\\.com',
];

const EACH = 60;

export function emailCases(chance: Chance): Case[] {
  const cases: Case[] = [];
  const add = (group: string, secret: string, text: string) =>
    cases.push({ kind: 'email', group, secret, text });
  for (const faker of [en, de, fr, pl, vi]) {
    faker.seed(chance.below(2 ** 31));
    for (let count = 0; count < EACH; count++) {
      const address = faker.internet.email();
      add('faker', address, placed(EMAIL_SENTENCES, address, chance));
    }
  }
  for (const shape of EMAIL_SHAPES)
    for (let count = 0; count < EACH / 4; count++) {
      const address = sample(shape, chance);
      add('by hand', address, placed(EMAIL_SENTENCES, address, chance));
    }
  for (let count = 0; count < EACH; count++) {
    const [user, host] = sample('[a-z]{3,8}(?:\\.[a-z]{3,6})?@[a-z]{5,9}\\.(?:com|org)', chance).split('@');
    const at = chance.pick(['%40', '%2540', '%40']);
    const url = `https://shop.example.net/unsubscribe?email=${user}${at}${host}&list=4`;
    add(
      'in URLs',
      `${user}${at}${host}`,
      chance.pick([url, `see ${url}.`, `POST /login\n\nuser=${user}${at}${host}`]),
    );
  }
  return cases;
}

const IPV4_SENTENCES = [
  ...PLAIN_SENTENCES,
  'http://%:8080/x',
  '% - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200',
  'ssh root@%',
  'block %/32 now',
  'Failed password for root from % port 22',
];
const IPV6_SENTENCES = [
  ...PLAIN_SENTENCES,
  'http://[%]:8080/x',
  'ping %',
  'from % port 22',
  'block %/64 now',
];
const IPV6_SHAPES = [
  '2[0-9a-f]{2}[1-9](?::[1-9a-f][0-9a-f]{1,3}){7}',
  '2a0[0-9]:[1-9a-f][0-9a-f]{2}:[1-9a-f][0-9a-f]{2}::[1-9a-f][0-9a-f]{0,3}',
  '2607:f8b0:4[0-9]{3}:8[0-9]{2}::200[0-9a-f]',
  '2001:4860::88[0-9]{2}',
  '::ffff:8[1-9]\\.1[0-9]{2}\\.[1-9][0-9]\\.[1-9]',
];

export function ipCases(chance: Chance): Case[] {
  const cases: Case[] = [];
  const parts = () =>
    [chance.pick([5, 31, 46, 81, 93, 142, 176, 185, 212]), 0, 0, 0].map((n) => n || 1 + chance.below(254));
  for (let count = 0; count < 3 * EACH; count++) {
    const secret = parts().join('.');
    cases.push({ kind: 'ip', group: 'IPv4', secret, text: placed(IPV4_SENTENCES, secret, chance) });
  }
  for (const shape of IPV6_SHAPES)
    for (let count = 0; count < EACH / 2; count++) {
      const secret = sample(shape, chance);
      cases.push({ kind: 'ip', group: 'IPv6', secret, text: placed(IPV6_SENTENCES, secret, chance) });
    }
  return cases;
}
