/** Fake values in the form of the originals, derived from a hash, so that a value has the same fake everywhere. */
import type { RedactKind } from '../config/redact-kinds.ts';
import { ibanRest, luhn } from './checksums.ts';

/** @param hash at least 32 bytes; @param found the original, for its form */
export function fakeOf(kind: RedactKind | 'custom', found: string, hash: Buffer): string {
  const draw = drawer(hash);
  switch (kind) {
    case 'email':
      // Reserved domains. @see RFC 2606
      return `${letters(draw, 8)}@example.${['com', 'org', 'net'][draw() % 3]!}`;
    case 'phone':
      return fakePhone(found, draw);
    case 'card':
      return fakeCard(found, draw);
    case 'iban':
      return fakeIban(found, draw);
    case 'ssn':
      // Never assigned.
      return `9${digit(draw)}${digit(draw)}-${10 + (draw() % 90)}-${1000 + ((draw() * 256 + draw()) % 9000)}`;
    case 'ip':
      // Documentation networks. @see RFC 5737, RFC 3849
      return found.includes(':')
        ? `2001:db8::${(draw() * 256 + draw()).toString(16)}:${(draw() * 256 + draw()).toString(16)}`
        : `${['192.0.2', '198.51.100', '203.0.113'][draw() % 3]!}.${draw()}`;
    case 'national_id':
      // The same layout, with an invalid checksum.
      return found.replace(/\d/g, () => digit(draw));
    case 'private_key':
      return ['-----BEGIN FAKE KEY-----', letters(draw, 64), '-----END FAKE KEY-----'].join(
        found.includes('\n') ? '\n' : ' ',
      );
    case 'jwt':
      return `fake.${letters(draw, 24)}.${letters(draw, 32)}`;
    default:
      return shaped(found, draw);
  }
}

type Draw = () => number;

/** An endless sequence of bytes. */
function drawer(hash: Buffer): Draw {
  let at = 0;
  let bytes = hash;
  return () => {
    if (at === bytes.length) {
      bytes = Buffer.from(new Bun.CryptoHasher('sha256').update(bytes).digest());
      at = 0;
    }
    return bytes[at++]!;
  };
}

function digit(draw: Draw): string {
  return String(draw() % 10);
}

function letters(draw: Draw, count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + (draw() % 26))).join('');
}

/** The same layout with other digits; the numbers 555-01xx are reserved for fiction. */
function fakePhone(found: string, draw: Draw): string {
  const digits = found.replace(/\D/g, '');
  const fiction = ['5', '5', '5', '0', '1', digit(draw), digit(draw)];
  let left = digits.length;
  return found.replace(/\d/g, (own) => {
    left -= 1;
    if (left < fiction.length) return fiction[fiction.length - 1 - left]!;
    // The country code is kept.
    return found.startsWith('+') && digits.length - left <= 2 ? own : digit(draw);
  });
}

/** From a range for tests, with a correct check digit. */
function fakeCard(found: string, draw: Draw): string {
  const count = found.replace(/\D/g, '').length;
  const body = `400000${Array.from({ length: count - 7 }, () => digit(draw)).join('')}`;
  const check = (10 - luhn(`${body}0`)) % 10;
  const digits = `${body}${check}`;
  let at = 0;
  return found.replace(/\d/g, () => digits[at++]!);
}

/** From the same country, with correct check digits. */
function fakeIban(found: string, draw: Draw): string {
  const plain = found.replaceAll(/[ -]/g, '').toUpperCase();
  const body = plain
    .slice(4)
    .replace(/[A-Z0-9]/g, (own) => (/\d/.test(own) ? digit(draw) : String.fromCharCode(65 + (draw() % 26))));
  const country = plain.slice(0, 2);
  const check = String(98 - ibanRest(`${country}00${body}`)).padStart(2, '0');
  const all = country + check + body;
  let at = 0;
  return found.replace(/[A-Za-z0-9]/g, () => all[at++]!);
}

/** The same prefix and length, with other letters and digits. */
function shaped(found: string, draw: Draw): string {
  const prefix = /^[A-Za-z]{2,10}[-_.](?:[a-z0-9]{2,6}[-_])?|^A[A-Za-z]{3}/.exec(found)?.[0] ?? '';
  const body = found
    .slice(prefix.length)
    .replace(/[A-Za-z0-9]/g, () => String.fromCharCode(97 + (draw() % 26)));
  return prefix + body;
}
