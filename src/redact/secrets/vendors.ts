/** Keys as their vendors describe them, where the published rules are missing or too narrow. */
import type { SecretRule } from './rule.ts';
import { around, entropy, stickyAt } from './rule.ts';

const HEX = '[0-9a-f]';
const UUID = `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`;

/** What a key begins with, and what follows. All of them must contain a digit. */
const PREFIXES: readonly (readonly [prefix: string, rest: string])[] = [
  ['sk-', '(?:ant-|proj-|or-v1-|svcacct-|admin-|lf-)?[A-Za-z0-9_-]{20,200}'],
  ['csk-', '[A-Za-z0-9]{30,100}'],
  ['sk_live_', '[A-Za-z0-9]{16,200}'],
  ['sk_test_', '[A-Za-z0-9]{16,200}'],
  ['rk_live_', '[A-Za-z0-9]{16,200}'],
  ['rk_test_', '[A-Za-z0-9]{16,200}'],
  ['whsec_', '[A-Za-z0-9+/=]{24,100}'],
  ['gsk_', '[A-Za-z0-9]{30,100}'],
  ['xai-', '[A-Za-z0-9]{20,100}'],
  ['AIza', '[A-Za-z0-9_-]{35}'],
  ['GOCSPX-', '[A-Za-z0-9_-]{20,60}'],
  ['ya29.', '[A-Za-z0-9_.-]{20,512}'],
  ['AKIA', '[A-Z0-9]{16}'],
  ['ASIA', '[A-Z0-9]{16}'],
  ['AKID', '[A-Za-z0-9]{32}'],
  ['ghp_', '[A-Za-z0-9]{36,255}'],
  ['gho_', '[A-Za-z0-9]{36,255}'],
  ['ghu_', '[A-Za-z0-9]{36,255}'],
  ['ghs_', '[A-Za-z0-9]{36,255}'],
  ['ghr_', '[A-Za-z0-9]{36,255}'],
  ['github_pat_', '[A-Za-z0-9_]{22,255}'],
  ['glpat-', '[A-Za-z0-9_-]{20,300}'],
  ['xoxa-', '[A-Za-z0-9-]{10,250}'],
  ['xoxb-', '[A-Za-z0-9-]{10,250}'],
  ['xoxe-', '[A-Za-z0-9-]{10,250}'],
  ['xoxp-', '[A-Za-z0-9-]{10,250}'],
  ['xoxr-', '[A-Za-z0-9-]{10,250}'],
  ['xoxs-', '[A-Za-z0-9-]{10,250}'],
  ['hf_', '[A-Za-z0-9]{30,40}(?![A-Za-z0-9_])'],
  ['r8_', '[A-Za-z0-9]{37,40}'],
  ['fw_', '[A-Za-z0-9]{22,40}'],
  ['nvapi-', '[A-Za-z0-9_-]{40,100}'],
  ['tgp_v1_', '[A-Za-z0-9_-]{30,80}'],
  ['pa-', '[A-Za-z0-9_-]{43}'],
  ['tvly-', '[A-Za-z0-9-]{20,60}'],
  ['lsv2_', `(?:pt|sk)_${HEX}{32}_${HEX}{10}`],
  ['pcsk_', '[A-Za-z0-9_]{40,100}'],
  ['fc-', `${HEX}{32}`],
  ['jina_', '[A-Za-z0-9_-]{40,80}'],
  ['figd_', '[A-Za-z0-9_-]{40,60}'],
  ['figo_', '[A-Za-z0-9_-]{40,60}'],
  ['NRAK-', '[A-Z0-9]{27}'],
  ['sbp_', `${HEX}{40}`],
  ['sb_secret_', '[A-Za-z0-9_-]{20,80}'],
  ['npm_', '[A-Za-z0-9]{36}'],
  ['pypi-', '[A-Za-z0-9_-]{50,250}'],
  ['dckr_pat_', '[A-Za-z0-9_-]{20,60}'],
  ['glc_', '[A-Za-z0-9+/=]{32,400}'],
  ['tskey-', '[A-Za-z0-9-]{20,100}'],
  ['key-', `${HEX}{32}`],
  ['access_token$', `production\\$[0-9a-z]{16}\\$${HEX}{32}`],
  ['sq0', '(?:atp|csp)-[A-Za-z0-9_-]{22,60}'],
  ['hvs.', '[A-Za-z0-9_-]{80,140}'],
  ['hvb.', '[A-Za-z0-9_-]{80,300}'],
  ['EAAM', '[A-Za-z0-9]{100,512}'],
];

/** Marks in the middle of a key, and the complete key. */
const MIDDLES: readonly (readonly [words: readonly string[], pattern: string])[] = [
  [[':aa'], '(?<!\\d)[1-9]\\d{7,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])'],
  [
    ['-us1', '-us2', '-us3', '-us4', '-us5', '-us6', '-us7', '-us8', '-us9'],
    `(?<![0-9a-z])${HEX}{32}-us\\d{1,2}(?!\\d)`,
  ],
  [['.atlasv1.'], '(?<![A-Za-z0-9])[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{60,80}'],
  [
    ['1/0', '1/1', '1/2', '1/3', '1/4', '1/5', '1/6', '1/7', '1/8', '1/9'],
    `(?<![\\w/])1/\\d{16}:${HEX}{32}(?![0-9a-z])`,
  ],
  [
    ['0q~', '1q~', '2q~', '3q~', '4q~', '5q~', '6q~', '7q~', '8q~', '9q~'],
    '(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])',
  ],
  [['pat'], '(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\\.[0-9a-f]{64}'],
];

/** URLs that anyone who knows them may call: the part before the secret, and the secret. */
const ADDRESSES: readonly (readonly [word: string, before: string, secret: string])[] = [
  ['hooks.slack.com/', '(?:services|workflows|triggers)/', '[A-Za-z0-9/_-]{20,100}'],
  ['/api/webhooks/', '', '\\d{15,22}/[A-Za-z0-9_-]{20,100}'],
  ['/webhookb2/', '', '[A-Za-z0-9@/_-]{40,300}'],
  ['hooks.zapier.com/hooks/', '(?:catch|standard)/', '\\d{3,12}/[A-Za-z0-9]{4,30}'],
  ['maker.ifttt.com/', '[\\w/-]{0,80}?(?:key|use)/', '[A-Za-z0-9_-]{15,60}'],
  ['.make.com/', '', '[a-z0-9]{24,60}(?![\\w-])'],
  ['/bot/v2/hook/', '', UUID],
  ['robot/send?access_token=', '', `${HEX}{32,100}`],
  ['/webhook/send?key=', '', UUID],
  ['/hooks/', '', '[A-Za-z0-9]{17,32}(?:/[A-Za-z0-9]{40,80})?(?![\\w-])'],
  ['/integration/', '', `${HEX}{32}(?![\\w-])`],
  ['sig=', '', '[A-Za-z0-9%+/_-]{20,200}=?'],
  ['signature=', '', '[A-Za-z0-9%+/_-]{20,1024}=?'],
  ['&token=', '', '[A-Za-z0-9%_-]{16,200}'],
];

export function vendorRules(): SecretRule[] {
  const prefixes = PREFIXES.map(([prefix, rest]): SecretRule => {
    // What follows belongs to the key, regardless of its length.
    const pattern = new RegExp(`(?<![A-Za-z0-9])${escaped(prefix)}${rest}[\\w-]{0,512}`, 'y');
    return {
      words: [prefix.toLowerCase()],
      find(text, from) {
        const found = stickyAt(pattern, text, from);
        return found && isRandom(text.slice(found[0] + prefix.length, found[1])) ? found : undefined;
      },
    };
  });
  const middles = MIDDLES.map(([words, source]): SecretRule => {
    const pattern = new RegExp(source, 'g');
    return { words, find: (text, from, to) => around(pattern, text, from, to, () => true) };
  });
  const addresses = ADDRESSES.map(([word, before, secret]): SecretRule => {
    const pattern = new RegExp(`${before}(${secret})`, 'y');
    return {
      words: [word],
      find(text, _, to) {
        const found = stickyAt(pattern, text, to);
        return found && /\d|[a-z][A-Z]/.test(text.slice(...found)) ? found : undefined;
      },
    };
  });
  return [...prefixes, ...middles, ...addresses];
}

function escaped(text: string): string {
  return text.replaceAll(/[.$]/g, '\\$&');
}

/** Entropy, bits per character. Names in source code that are composed of words have less. */
const LEAST_ENTROPY = 4.2;

/** Whether it contains a digit, or mixed case as in no word: names of things have hyphens and lower case. */
function isRandom(rest: string): boolean {
  return /\d/.test(rest) || (/[a-z]/.test(rest) && /[A-Z]/.test(rest) && entropy(rest) > LEAST_ENTROPY);
}
