/** The published rules of gitleaks. */
import type { Found, SecretRule } from './rule.ts';
import { TOKEN_RULES, VENDOR_RULES } from './gitleaks.generated.ts';
import { around, entropy, stickyAt } from './rule.ts';

/** What may stand between a vendor's name and its secret. Backslashes belong to JSON within strings. */
const BETWEEN = `[ \\t\\w.-]{0,20}[\\s'"\\\\]{0,4}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'"\\s=\\\\]{0,6}`;

/** The minimum length of words in the index. */
const SHORTEST_WORD = 3;

export interface WholeRule {
  readonly may: readonly string[];
  readonly pattern: RegExp;
  readonly is: (found: string) => boolean;
}

export function publishedRules(): SecretRule[] {
  const vendors = VENDOR_RULES.map(([, names, secret, least, ...words]): SecretRule => {
    const pattern = new RegExp(`(?i:${names})${BETWEEN}${secret}`, 'y');
    return {
      words,
      find(text, from) {
        const found = stickyAt(pattern, text, from);
        if (!found) return undefined;
        const value = text.slice(...found);
        // A long word after a vendor's name is not one of its keys.
        return /\d/.test(value) && entropy(value) > least ? found : undefined;
      },
    };
  });
  const tokens = TOKEN_RULES.filter((rule) => !isShort(rule)).map(
    ([, source, least, begins, words, allowed]): SecretRule => {
      const is = judge(least, allowed);
      const pattern = new RegExp(source, begins ? 'y' : 'g');
      return {
        words,
        find: (text, from, to) =>
          begins ? checked(stickyAt(pattern, text, from), text, is) : around(pattern, text, from, to, is),
      };
    },
  );
  return [...vendors, ...tokens];
}

/** Rules whose keyword is too short for the index. */
export function wholeRules(): WholeRule[] {
  return TOKEN_RULES.filter(isShort).map(([, source, least, , words, allowed]) => ({
    may: words.flatMap((word) => [word, word.toUpperCase()]),
    pattern: new RegExp(`(?<![A-Za-z0-9])(?:${source})`, 'g'),
    is: judge(least, allowed),
  }));
}

function isShort([, , , , words]: (typeof TOKEN_RULES)[number]): boolean {
  return words.some((word) => word.length < SHORTEST_WORD);
}

function judge(least: number, allowed: readonly string[]): (found: string) => boolean {
  const harmless = allowed.map((source) => new RegExp(source));
  return (found) =>
    (least === 0 || entropy(found) > least) && !harmless.some((pattern) => pattern.test(found));
}

function checked(found: Found | undefined, text: string, is: (found: string) => boolean): Found | undefined {
  return found && is(text.slice(...found)) ? found : undefined;
}
