/** Applies all rules for keys in one pass over a text. */
import type { Found, SecretRule } from './rule.ts';
import { KeywordIndex } from './keywords.ts';
import { NAMED_RULES } from './named.ts';
import type { WholeRule } from './published.ts';
import { publishedRules, wholeRules } from './published.ts';
import { foundIn } from './rule.ts';
import { vendorRules } from './vendors.ts';

/** Without a keyword that could be searched for: tokens of Discord bots. */
const BOT = /(?<![\w.-])[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])/g;

/** One character repeated, as documentation writes it in place of a key. */
const MASKED = /x{8}|X{8}|\*{4}|\.{4}/;

interface Rules {
  readonly index: KeywordIndex<SecretRule>;
  readonly whole: readonly WholeRule[];
}

let made: Rules | undefined;

function rules(): Rules {
  if (made) return made;
  const all = [...NAMED_RULES, ...vendorRules(), ...publishedRules()];
  const words = all.flatMap((rule) => rule.words.map((word) => [word, rule] as const));
  made = { index: new KeywordIndex(words), whole: wholeRules() };
  return made;
}

/** The positions of keys. They may overlap. */
export function findSecrets(text: string): Found[] {
  const { index, whole } = rules();
  const found: Found[] = [];
  /** The end of the last match of each rule, which is not applied again before it. */
  const seen = new Map<SecretRule, number>();
  index.scan(text, (rule, from, to) => {
    if ((seen.get(rule) ?? 0) > from) return;
    const hit = rule.find(text, from, to);
    if (!hit || MASKED.test(text.slice(...hit))) return;
    seen.set(rule, hit[1]);
    found.push(hit);
  });
  for (const { may, pattern, is } of whole)
    if (may.some((word) => text.includes(word)))
      for (const match of text.matchAll(pattern)) {
        const hit = foundIn(match);
        if (is(text.slice(...hit))) found.push(hit);
      }
  if (text.length > 50 && text.includes('.'))
    for (const match of text.matchAll(BOT)) found.push([match.index, match.index + match[0].length]);
  return found;
}
