/** What is looked for, and how it is known. Every pattern has bounded repetitions: text of any length takes linear time. */
import { isIPv6 } from 'node:net';
import { isObject, parseJson } from '../../wire/json.ts';
import { ibanLength, isCard, isIban, isPublicIpv4 } from './checksums.ts';

export const REDACT_KINDS = [
  'email',
  'phone',
  'card',
  'iban',
  'ssn',
  'ip',
  'key',
  'jwt',
  'private_key',
] as const;

export type RedactKind = (typeof REDACT_KINDS)[number];

export interface Detector {
  /** Whether a text may hold one at all: cheap, and never wrong with a no. */
  readonly may: (text: string) => boolean;
  /** A group, where there is one, is what is hidden; else the whole match. */
  readonly pattern: RegExp;
  /** Whether it is one after all. */
  readonly is?: (found: string) => boolean;
  /** The beginning of what was found that is one, where more may have been taken; `undefined` when none is. */
  readonly begins?: (found: string) => string | undefined;
  /** What else belongs to it, however long; a pattern is bounded. Begins where it ends. */
  readonly rest?: RegExp;
}

const holds = (part: string) => (text: string) => text.includes(part);
const fits = (pattern: RegExp) => (text: string) => pattern.test(text);
const hasNumber = fits(/\d{3}|\d[ .()/-]\d/);

/** Words before a secret: `api_key = "..."`, `?token=...`. */
const SECRET_NAMES =
  'api[_-]?key|apikey|access[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|secret[_-]?key|secret|password|passwd|pwd|token';

/** What keys of vendors begin with, and what follows. */
const KEY_SHAPES = [
  'sk-(?:ant-|proj-|or-v1-|svcacct-)?[A-Za-z0-9_-]{20,200}',
  '[sr]k_(?:live|test)_[A-Za-z0-9]{16,100}',
  'gsk_[A-Za-z0-9]{30,100}',
  'xai-[A-Za-z0-9]{20,100}',
  'AIza[A-Za-z0-9_-]{35}',
  '(?:AKIA|ASIA)[A-Z0-9]{16}',
  'gh[pousr]_[A-Za-z0-9]{36,255}',
  'github_pat_[A-Za-z0-9_]{22,255}',
  'glpat-[A-Za-z0-9_-]{20,100}',
  'xox[abeprs]-[A-Za-z0-9-]{10,250}',
  'hf_[A-Za-z0-9]{30,100}',
  'npm_[A-Za-z0-9]{36}',
  'pypi-[A-Za-z0-9_-]{50,250}',
  'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,64}',
].join('|');

/** In the order that decides between two that begin at one place and are of one length. */
export const DETECTORS: Readonly<Record<RedactKind, readonly Detector[]>> = {
  private_key: [
    {
      may: holds('PRIVATE KEY-----'),
      pattern: /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\s\S]{0,8192}?-----END [A-Z ]{0,32}PRIVATE KEY-----/g,
    },
    {
      may: holds('PRIVATE KEY-----'),
      pattern: /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?![\s\S]{0,8192}?-----END)[\w+/=\s\\:,-]{0,8192}/g,
    },
  ],
  jwt: [{ may: holds('eyJ'), pattern: /eyJ[\w-]{5,4096}\.[\w-]{5,16384}\.[\w-]{5,4096}/g, is: isJwt }],
  key: [
    {
      may: fits(/[-_.]|A[IKS]/),
      pattern: new RegExp(`(?<![A-Za-z0-9])(?:${KEY_SHAPES})`, 'g'),
      is: hasDigit,
      rest: /[\w-]+/y,
    },
    {
      may: holds('earer '),
      pattern: /[Bb]earer {1,4}([\w.~+/=-]{16,4096})/g,
      is: hasDigit,
      rest: /[\w.~+/=-]+/y,
    },
    { may: holds('asic '), pattern: /[Bb]asic {1,4}([\w+/-]{8,4096}={0,2})/g, is: isUserAndPassword },
    {
      may: fits(/[:=]/),
      pattern: new RegExp(
        `(?:${SECRET_NAMES})\\\\{0,2}["']?\\s{0,4}[:=]{1,2}\\s{0,4}\\\\{0,2}["']?([^\\s"'\`&,;<>()\\\\]{8,256})`,
        'gi',
      ),
      is: hasDigit,
      rest: /[^\s"'`&,;<>()\\]+/y,
    },
    {
      may: fits(/["']\s{0,4}:/),
      pattern: new RegExp(
        `["'](?:${SECRET_NAMES})\\\\{0,2}["']\\s{0,4}:\\s{0,4}\\\\{0,2}["']([^"'\\\\\\s]{4,4096})`,
        'gi',
      ),
    },
    { may: holds('://'), pattern: /:\/\/[^\s:/@?#]{0,64}:([^\s@/]{1,128})@/g },
  ],
  email: [
    {
      may: holds('@'),
      pattern:
        /[\p{L}\p{N}][\p{L}\p{N}._%+'-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})\.){1,8}\p{L}{2,24}/gu,
    },
  ],
  iban: [
    {
      may: hasNumber,
      pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?/g,
      begins: ibanIn,
    },
    {
      may: hasNumber,
      pattern: /(?<![A-Za-z0-9])[a-z]{2}\d{2}[a-z0-9]{11,30}(?![A-Za-z0-9])/g,
      begins: ibanIn,
    },
  ],
  card: [
    {
      may: hasNumber,
      // Behind a card there is often its month, or what proves that one has it.
      pattern: /(?<!\d|\d[.-])[2-6](?:[ .\u00a0\u202f-]{0,2}\d){12,18}(?!\d)/g,
      begins: cardIn,
    },
  ],
  ssn: [
    { may: hasNumber, pattern: /(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])/g },
    {
      may: hasNumber,
      pattern: /(?<![\w-]|\d )(?!000|666|9\d\d)\d{3} (?!00)\d\d (?!0000)\d{4}(?![\w-]| \d)/g,
    },
    {
      may: hasNumber,
      pattern: /ssn[ :#=-]{0,3}((?!000|666|9\d\d)\d{3}[ -]?(?!00)\d\d[ -]?(?!0000)\d{4})(?!\d)/gi,
    },
  ],
  ip: [
    { may: hasNumber, pattern: /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g, is: isPublicIpv4 },
    {
      may: holds(':'),
      pattern: /(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)/g,
      is: isPublicIpv6,
    },
  ],
  phone: [
    { may: holds('+'), pattern: /(?<![\w+])\+\d{1,3}(?:[ .()/-]{0,2}\d){6,13}(?!\w)/g, is: isPhone },
    {
      may: hasNumber,
      pattern: /(?<![\w.+-]|\d )(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]| \d)/g,
    },
    {
      may: hasNumber,
      pattern: /(?<![\w.+-]|\d )(?:1-)?\d{3}-\d{3}-\d{4}(?!\w|-\d)/g,
    },
    {
      may: hasNumber,
      pattern: /(?<![\w.+-]|\d )0[1-9]\d{0,3}[ /-]\d{2,8}(?:[ -]?\d{2,4}){0,3}(?![\w.-])/g,
      is: isPhone,
    },
  ],
};

/** Keys of JSON whose text is a secret, whatever it looks like. */
export const SECRET_KEY = new RegExp(`^(?:${SECRET_NAMES}|authorization|x-api-key|private[_-]?key)$`, 'i');

function hasDigit(found: string): boolean {
  return /\d/.test(found);
}

/** Digits of the smallest group that cards are written in; lists of small numbers are none. */
const CARD_GROUP = 3;

/** The card at the beginning of digits in groups: what ends with a group, the longest. */
function cardIn(found: string): string | undefined {
  let digits = '';
  let group = 0;
  let card: string | undefined;
  for (let at = 0; at < found.length; at++) {
    if (!isDigit(found, at)) continue;
    digits += found[at]!;
    group += 1;
    if (isDigit(found, at + 1)) continue;
    if (group < CARD_GROUP) break;
    group = 0;
    if (digits.length >= 13 && isCard(digits)) card = found.slice(0, at + 1);
  }
  return card;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** The account at the beginning, by the length its country has. */
function ibanIn(found: string): string | undefined {
  const signs = found.replaceAll(/[ -]/g, '').toUpperCase();
  const length = ibanLength(signs.slice(0, 2));
  if (length === undefined || signs.length < length || !isIban(signs.slice(0, length))) return undefined;
  let end = 0;
  for (let left = length; left > 0; end++) if (!/[ -]/.test(found[end]!)) left -= 1;
  return /[A-Za-z0-9]/.test(found[end] ?? ' ') ? undefined : found.slice(0, end);
}

function isUserAndPassword(found: string): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]*$/.test(Buffer.from(found, 'base64').toString('latin1'));
}

function isJwt(found: string): boolean {
  const header = parseJson(Buffer.from(found.slice(0, found.indexOf('.')), 'base64url').toString('utf8'));
  return isObject(header) && typeof header.alg === 'string';
}

/** Loopback, link-local, private and documentation addresses, and `::` of code, tell nothing of anybody. */
function isPublicIpv6(found: string): boolean {
  const groups = found.split(':').filter((group) => group !== '');
  return groups.length >= 3 && isIPv6(found) && !/^(?:fe[89ab]|f[cd]|ff|2001:0?db8)/i.test(found);
}

/** From 8 to 15 digits by E.164, and no date. */
function isPhone(found: string): boolean {
  const digits = found.replace(/\D/g, '').length;
  return digits >= 8 && digits <= 15 && !/^0?\d[-/ .]\d\d[-/ .]\d{4}$/.test(found);
}
