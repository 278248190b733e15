/**
 * Kinds of values that options of `llmproxy export` take: how each is read from a text, whether that text comes from the
 * command line, the environment or the configuration. Without zod, so that an export without a configuration starts fast.
 */

/** What one kind of option takes. */
export interface OptionKind<Value, Item = Value> {
  /** A `switch` is given alone, a `value` has one value, a `list` may be given again for more. */
  readonly form: 'switch' | 'value' | 'list';
  /** The values of a list may be joined by commas. */
  readonly commas?: true;
  /** Words that are taken: all that are, or those beside numbers. */
  readonly words?: readonly string[];
  /** Numbers that are taken. */
  readonly range?: { readonly whole: boolean; readonly least: number; readonly most: number };
  /** A number may stand for its text in the configuration. */
  readonly numeric?: true;
  /** What a value must be, for the message that refuses another: "a whole number from 1". */
  readonly expected: string;
  /** One value, or one item of a list, from its text; `undefined` when it is none. */
  readonly read: (text: string) => Item | undefined;
}

/** A kind that may be given more than once. */
export type ListKind<Item> = OptionKind<readonly Item[], Item>;

export const onOrOff: OptionKind<boolean> = {
  form: 'switch',
  expected: 'true or false',
  read: (text) =>
    /^(1|true|yes|on)$/i.test(text) ? true : /^(0|false|no|off)$/i.test(text) ? false : undefined,
};

export const anyText: OptionKind<string> = { form: 'value', expected: 'a text', read: (text) => text };

export function oneOf<const Word extends string>(...words: readonly Word[]): OptionKind<Word> {
  return {
    form: 'value',
    words,
    expected: orList(words),
    read: (text) => words.find((word) => word === text),
  };
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): OptionKind<number> {
  return {
    form: 'value',
    range: { whole: true, least, most },
    expected: `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`,
    read: (text) => (/^\d+$/.test(text) && inRange(text, least, most) ? Number(text) : undefined),
  };
}

/** A number between two. */
export function decimal(least: number, most: number): OptionKind<number> {
  return decimalOr([], least, most);
}

/** A number between two, or one of some words. */
export function decimalOr<const Word extends string>(
  words: readonly Word[],
  least: number,
  most: number,
): OptionKind<number | Word> {
  const bounds = most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`;
  return {
    form: 'value',
    words,
    range: { whole: false, least, most },
    expected: [bounds, ...words].join(' or '),
    read: (text) =>
      words.find((word) => word === text) ??
      (text.trim() !== '' && inRange(text, least, most) ? Number(text) : undefined),
  };
}

function inRange(text: string, least: number, most: number): boolean {
  const number = Number(text);
  return number >= least && number <= most && Number.isFinite(number);
}

/** A value of a form of its own. */
export function readBy<Value>(
  expected: string,
  read: (text: string) => Value | undefined,
  more: Pick<OptionKind<Value>, 'numeric'> = {},
): OptionKind<Value> {
  return { form: 'value', expected, read, ...more };
}

/** Any number of texts. */
export const texts: ListKind<string> = { ...anyText, form: 'list' };

/** Any number of texts, which may also be joined by commas. */
export const commaTexts: ListKind<string> = { ...texts, commas: true };

/** Any number of values, each read by a function. */
export function listOf<Item>(
  expected: string,
  read: (text: string) => Item | undefined,
  more: Pick<ListKind<Item>, 'commas' | 'numeric'> = {},
): ListKind<Item> {
  return { form: 'list', expected, read, ...more };
}

/**
 * The items that a text gives to a list: itself, or what stands between commas where these are taken, but for those in the
 * braces of a glob: `{gpt-4o,o3}*,claude*`.
 */
export function itemsIn(text: string, { commas }: Pick<OptionKind<unknown>, 'commas'>): string[] {
  if (!commas) return [text];
  return (text.match(/(?:\{[^}]*\}|[^,])+/g) ?? []).map((item) => item.trim()).filter(Boolean);
}

/** "a, b or c". */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
