/** Words the issues of the schema in terms of the YAML file. */

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  null: 'nothing',
  number: 'a number',
  object: 'keys with values',
  record: 'keys with values',
  string: 'text',
  undefined: 'nothing',
};

/** A type in plain words. */
export function kindText(kind: string): string {
  return KINDS[kind] ?? kind;
}

const BOUNDS: Readonly<Record<string, string>> = {
  '>=': 'at least',
  '>': 'more than',
  '<=': 'at most',
  '<': 'less than',
};

/** Turns a message of the schema library into a phrase; our own messages are kept. */
export function issueText(message: string): string {
  const [, wanted, found] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (wanted !== undefined) return `expected ${kindText(wanted)}, found ${kindText(found!)}`;
  const [, bound, count, unit] =
    /^Too (?:small|big): expected \w+ to (?:have|be) (>=?|<=?)(\S+)(?: (\w+?)s?)?$/.exec(message) ?? [];
  if (bound !== undefined)
    return `expected ${BOUNDS[bound]} ${count}${unit === undefined ? '' : ` ${unit}${count === '1' ? '' : 's'}`}`;
  return message.replace(/^Invalid input: /, '').replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}
