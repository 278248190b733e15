/**
 * Generates the rules for API keys from those of gitleaks: src/redact/secrets/gitleaks.generated.ts.
 * The file is in the Go module that `go mod download` downloads:
 *
 *   bun scripts/gitleaks.ts "$(go env GOMODCACHE)/github.com/zricethezav/gitleaks/v8@v8.30.1"
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chance, sample } from '../test/redact/corpus/seeded.ts';

interface Rule {
  readonly id: string;
  readonly regex?: string;
  readonly entropy?: number;
  readonly keywords?: readonly string[];
  readonly allowlists?: readonly {
    readonly regexes?: readonly string[];
    readonly regexTarget?: string;
    readonly paths?: readonly string[];
  }[];
}

const OUT = join(import.meta.dir, '../src/redact/secrets/gitleaks.generated.ts');

/** Rules that our own rules replace: those run in bounded time and have fewer false positives. */
const OWN: Readonly<Record<string, string>> = {
  'curl-auth-header': 'headers are found whatever program they are written for',
  'curl-auth-user': 'likewise',
  'generic-api-key': 'names of secrets have a rule of their own',
  jwt: 'a kind of its own, recognised by its content',
  'kubernetes-secret-yaml': 'its pattern looks at each place of a file many times',
  'private-key': 'a kind of its own, of any length',
  'pkcs12-file': 'it looks at names of files alone',
};

const OPERATOR = '(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60\'"\\s=]{0,5}';
const BETWEEN = '(?:[ \\t\\w.-]{0,20})[\\s\'"]{0,3}';
const BEFORE = '[\\w.-]{0,50}?';
/** The longest match of a pattern that has no upper bound. */
const LONGEST = 512;
/** What may follow a key: the original accepts only quotes and spaces, but people also end a sentence there. */
const END = '(?![A-Za-z0-9_-])';
const ENDS = [
  '(?:[\\x60\'"\\s;]|\\\\[nr]|$|\\b)',
  '(?:[\\x60\'"\\s;]|\\\\[nr]|$)',
  '(?:$|[\\\\\'"\\x60\\s<),])',
  '(?:[^\\w-]|\\z)',
  '(?:[^a-zA-Z0-9+/]|\\z)',
  '(?:[\\/|\\#|\\?|:]|$)',
];

/** Translates a regular expression from Go's syntax to JavaScript's. */
function translated(source: string): string {
  let regex = source.replaceAll('[:alnum:]', 'A-Za-z0-9').replaceAll('(?P<', '(?<').replaceAll('\\z', '$');
  for (const end of ENDS) regex = regex.replaceAll(end.replaceAll('\\z', '$'), END);
  // `(?i)` within a pattern applies up to the end of the group that contains it.
  for (let at = regex.indexOf('(?i)'); at >= 0; at = regex.indexOf('(?i)')) {
    const end = groupEnd(regex, at);
    regex = `${regex.slice(0, at)}(?i:${regex.slice(at + 4, end)})${regex.slice(end)}`;
  }
  return bounded(regex);
}

/** The end of the group that contains a position: the closing bracket, or the end of the pattern. */
function groupEnd(regex: string, from: number): number {
  let depth = 0;
  let inClass = false;
  for (let at = from; at < regex.length; at++) {
    const sign = regex[at]!;
    if (sign === '\\') at += 1;
    else if (inClass) inClass = sign !== ']';
    else if (sign === '[') inClass = true;
    else if (sign === '(') depth += 1;
    else if (sign === ')' && --depth < 0) return at;
  }
  return regex.length;
}

/** Gives repetitions without an upper bound one. */
function bounded(regex: string): string {
  let out = '';
  let inClass = false;
  for (let at = 0; at < regex.length; at++) {
    const sign = regex[at]!;
    const open = /^\{(\d+),\}/.exec(regex.slice(at));
    if (sign === '\\') out += sign + regex[++at]!;
    else if (inClass) {
      inClass = sign !== ']';
      out += sign;
    } else if (open) {
      out += `{${open[1]!},${Math.max(LONGEST, 2 * Number(open[1]))}}`;
      at += open[0].length - 1;
    } else if (sign === '[') {
      inClass = true;
      out += sign;
    } else if (sign === '+') out += `{1,${LONGEST}}`;
    else if (sign === '*') out += `{0,${LONGEST}}`;
    else out += sign;
  }
  return out;
}

interface Converted {
  readonly vendors: unknown[][];
  readonly tokens: unknown[][];
}

function convert(rules: readonly Rule[]): Converted {
  const vendors: unknown[][] = [];
  const tokens: unknown[][] = [];
  for (const { id, regex, entropy = 0, keywords = [], allowlists = [] } of rules) {
    if (Object.hasOwn(OWN, id) || regex === undefined) continue;
    const allowed = allowlists
      .filter(({ regexTarget = 'secret' }) => regexTarget === 'secret')
      .flatMap(({ regexes = [] }) => regexes.map(translated));
    const alternatives = regex.split(/(?<=\$\))\|(?=\\b)/);
    for (const alternative of alternatives) {
      const at = alternative.indexOf(OPERATOR);
      const head = alternative
        .slice(0, Math.max(0, at))
        .replaceAll(BEFORE, '')
        .replace(/^\(\?i\)/, '');
      const between = head.indexOf(BETWEEN);
      if (at < 0 || between < 0) {
        tokens.push(token(id, alternative, entropy, keywords, allowed));
        continue;
      }
      const names = head
        .slice(0, between)
        .replace(/^\(\?i:(?=\(\?:)/, '')
        .replaceAll(/(?<!\\)\./g, '\\.')
        .replaceAll(/\((?!\?)/g, '(?:');
      const insensitive = alternative.startsWith('(?i)') ? '(?i)' : '';
      vendors.push([
        id,
        names,
        translated(insensitive + alternative.slice(at + OPERATOR.length)),
        entropy,
        ...words(names, keywords),
      ]);
    }
  }
  return { vendors, tokens };
}

/** The beginnings of names, for the index of keywords. */
function words(names: string, keywords: readonly string[]): string[] {
  const drawn = chance(1);
  const seen = new Set(Array.from({ length: 60 }, () => sample(names, drawn).toLowerCase()));
  const begins = keywords.filter((word) => [...seen].some((name) => name.startsWith(word)));
  if ([...seen].every((name) => begins.some((word) => name.startsWith(word)))) return begins;
  return [...seen].toSorted();
}

function token(
  id: string,
  regex: string,
  entropy: number,
  keywords: readonly string[],
  allowed: readonly string[],
): unknown[] {
  const pattern = translated(regex);
  const drawn = chance(1);
  const samples = Array.from({ length: 60 }, () => sample(regex.replaceAll('(?i)', ''), drawn).toLowerCase());
  const begins = keywords.filter((word) => samples.some((text) => text.startsWith(word)));
  const atStart = samples.every((text) => begins.some((word) => text.startsWith(word)));
  return [id, pattern, entropy, atStart, atStart ? begins : keywords, allowed];
}

const folder = process.argv[2];
if (folder === undefined)
  throw new Error('Cannot read the rules: name the folder of the Go module of gitleaks');
const version = /@(v[\d.]+)/.exec(folder)?.[1] ?? 'unknown';
const { rules } = Bun.TOML.parse(readFileSync(join(folder, 'config/gitleaks.toml'), 'utf8')) as {
  rules: Rule[];
};
const license = readFileSync(join(folder, 'LICENSE'), 'utf8').trim();
const { vendors, tokens } = convert(rules);
for (const [id, pattern] of tokens) new RegExp(pattern as string).test(String(id));
const left = Object.entries(OWN).map(([id, why]) => ` * ${id}: ${why}`);
const rows = (all: readonly unknown[][]) => all.map((row) => `  ${JSON.stringify(row)},`).join('\n');
writeFileSync(
  OUT,
  `/**
 * Written by scripts/gitleaks.ts from config/gitleaks.toml of gitleaks ${version}: ${rules.length} rules. Do not edit.
 * Left out, since rules of our own find the same:
${left.join('\n')}
 *
 * https://github.com/gitleaks/gitleaks
 *
${license
  .split('\n')
  .map((line) => ` * ${line}`.trimEnd())
  .join('\n')}
 */

/** Secrets that follow a vendor's name: id, names, the secret, the minimum entropy, and the beginnings of the names. */
export const VENDOR_RULES: readonly (readonly [id: string, names: string, secret: string, entropy: number, ...words: string[]])[] = [
${rows(vendors)}
];

/** Secrets with a recognizable form: id, pattern, minimum entropy, whether each begins with a keyword, keywords, and what is not a secret. */
export const TOKEN_RULES: readonly (readonly [
  id: string,
  pattern: string,
  entropy: number,
  begins: boolean,
  keywords: readonly string[],
  allowed: readonly string[],
])[] = [
${rows(tokens)}
];
`,
);

/** The share of an original pattern's matches that must be hidden; otherwise the rule counts as missed. */
const ENOUGH = 0.9;
const TRIES = 40;
const { Redactor } = await import('../src/redact/redactor.ts');
const redactor = new Redactor({ kinds: ['key', 'private_key', 'jwt'], custom: [], mode: 'tag', salt: '' });
const drawn = chance(7);
const missed = rules.filter(({ id, regex, entropy = 0, keywords = [] }) => {
  if (regex === undefined) return true;
  let tried = 0;
  let hidden = 0;
  for (let count = 0; count < TRIES; count++) {
    const secret = sample(regex.replaceAll('(?i)', ''), drawn);
    if (bits(secret) <= entropy) continue;
    tried += 1;
    // gitleaks, too, searches only near one of the keywords.
    const near = keywords.some((word) => secret.toLowerCase().includes(word)) ? 'before' : keywords[0];
    const text = `${near} ${secret}`;
    if (redactor.text(text) !== text) hidden += 1;
  }
  if (hidden < tried * ENOUGH) process.stdout.write(`${id}: ${hidden} of ${tried}\n`);
  return hidden < tried * ENOUGH;
});
process.stdout.write(`${rules.length - missed.length} of ${rules.length} rules are covered\n`);

function bits(text: string): number {
  const signs = [...new Set(text)];
  const shares = signs.map((sign) => text.split(sign).length - 1).map((count) => count / text.length);
  return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}

process.stdout.write(`${vendors.length} rules by name, ${tokens.length} by form\n`);
