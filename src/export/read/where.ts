/** `--where`: an expression in CEL over the fields of a record. @see https://cel.dev */
import { Environment } from '@marcbachmann/cel-js';
import picomatch from 'picomatch';
import { nearest } from '../../config/suggest.ts';
import { body, head } from '../../logs/record-schema.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ExportError } from '../errors.ts';

export interface Where {
  /** Whether the head of a line contains everything that it needs. */
  readonly headOnly: boolean;
  /** Whether it needs the content of request or answer. */
  readonly asksTexts: boolean;
  /** Whether a record, or its head, matches. Missing fields and fields of another type match nothing. */
  readonly matches: (record: JsonObject) => boolean;
}

const HEAD = new Set(Object.keys(head.shape));
const BEFORE_TEXTS = new Set([...HEAD, ...Object.keys(body.omit({ request: true, response: true }).shape)]);
const KNOWN = [...HEAD, ...Object.keys(body.shape), 'timestamp', 'level', 'message', 'extra_data'];
/** A missing field is null rather than an error that would hide the rest of the expression. */
const NOTHING = Object.fromEntries(KNOWN.map((field) => [field, null]));

const globs = new Map<string, (text: string) => boolean>();

function environment(): Environment {
  const made = new Environment({ homogeneousAggregateLiterals: false });
  for (const field of KNOWN) made.registerVariable(field, 'dyn');
  made.registerFunction('glob(dyn, string): bool', (value: unknown, pattern: string) => {
    let matches = globs.get(pattern);
    if (!matches) globs.set(pattern, (matches = picomatch(pattern, { bash: true })));
    return typeof value === 'string' && matches(value);
  });
  return made;
}

/** @throws ExportError of kind `usage` when it is not a valid expression over these fields */
export function compileWhere(source: string): Where {
  try {
    const program = environment().parse(source);
    const checked = program.check();
    if (!checked.valid) throw checked.error ?? new Error('it makes no sense');
    if (checked.type !== 'bool' && checked.type !== 'dyn')
      throw new Error(`it gives a ${checked.type}, not true or false`);
    const fields = fieldsOf(program.ast);
    return {
      headOnly: fields.every((field) => HEAD.has(field)),
      asksTexts: fields.some((field) => !BEFORE_TEXTS.has(field)),
      matches: (record) => fulfils(program, record),
    };
  } catch (cause) {
    throw new ExportError('usage', `Cannot use --where '${source}': ${reasonOf(cause as Error)}`, { cause });
  }
}

function fulfils(program: (context: JsonObject) => unknown, record: JsonObject): boolean {
  try {
    return program({ ...NOTHING, ...record }) === true;
  } catch {
    // A comparison with null, or a missing key: this record does not have the field.
    return false;
  }
}

/** The names of variables in a syntax tree. */
function fieldsOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(fieldsOf);
  if (typeof node !== 'object' || node === null) return [];
  const { op, args } = node as { op?: string; args?: unknown };
  return op === 'id' ? [String(args)] : fieldsOf(args);
}

/** The first line of the library's message, with the column that its caret points at. */
function reasonOf({ message }: Error): string {
  const [first = '', ...drawing] = message.split('\n').filter(Boolean);
  const unknown = /^Unknown variable: (\w+)/.exec(first)?.[1];
  const [near] = unknown === undefined ? [] : nearest(unknown, KNOWN, 1);
  const guess =
    unknown === undefined
      ? ''
      : near
        ? `, did you mean ${near}?`
        : `; known are ${[...HEAD].join(', ')}, request and response`;
  const caret = drawing.at(-1)?.indexOf('^') ?? -1;
  const text = drawing.at(-2)?.indexOf('|') ?? -1;
  const column = caret > text && text >= 0 ? `column ${caret - text - 1}: ` : '';
  return `${column}${first.charAt(0).toLowerCase()}${first.slice(1)}${guess}`;
}
