/**
 * The kinds of values that options of `llmproxy export` take, and how each is parsed from a text given on the command
 * line, in the environment or in the configuration. It does not import zod, so that an export without a configuration
 * starts fast.
 */

/** Describes what one kind of option takes. */
export interface OptionKind<Value, Item = Value> {
  /** A `switch` takes no value, a `value` takes one, a `list` may be repeated. */
  readonly form: 'switch' | 'value' | 'list';
  /** Whether the values of a list may be separated by commas. */
  readonly commas?: true;
  /** The words that are allowed: exclusively, or in addition to numbers. */
  readonly words?: readonly string[];
  /** The numbers that are allowed. */
  readonly range?: { readonly whole: boolean; readonly least: number; readonly most: number };
  /** Whether the configuration may give a number in place of the text. */
  readonly numeric?: true;
  /** What is expected, as error messages put it: "a whole number from 1". */
  readonly expected: string;
  /** Parses one value, or one item of a list; `undefined` when it is invalid. */
  readonly read: (text: string) => Item | undefined;
}

/** A kind whose option may be repeated. */
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

/** A number within a range. */
export function decimal(least: number, most: number): OptionKind<number> {
  return decimalOr([], least, most);
}

/** A number within a range, or one of several words. */
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

/** A value with a syntax of its own. */
export function readBy<Value>(
  expected: string,
  read: (text: string) => Value | undefined,
  more: Pick<OptionKind<Value>, 'numeric'> = {},
): OptionKind<Value> {
  return { form: 'value', expected, read, ...more };
}

/** Any number of texts. */
export const texts: ListKind<string> = { ...anyText, form: 'list' };

/** Any number of texts, which may also be separated by commas. */
export const commaTexts: ListKind<string> = { ...texts, commas: true };

/** Any number of values, each parsed by a function. */
export function listOf<Item>(
  expected: string,
  read: (text: string) => Item | undefined,
  more: Pick<ListKind<Item>, 'commas' | 'numeric'> = {},
): ListKind<Item> {
  return { form: 'list', expected, read, ...more };
}

/**
 * The items that one argument adds to a list: the text itself or, where commas separate items, its parts. Commas within
 * the braces of a glob do not separate: `{gpt-4o,o3}*,claude*`.
 */
export function itemsIn(text: string, { commas }: Pick<OptionKind<unknown>, 'commas'>): string[] {
  if (!commas) return [text];
  return (text.match(/(?:\{[^}]*\}|[^,])+/g) ?? []).map((item) => item.trim()).filter(Boolean);
}

/** "a, b or c". */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
