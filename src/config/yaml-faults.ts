/** Explains YAML syntax errors, and says what to do. */
import type { Document, Node, YAMLError } from 'yaml';
import { isCollection, isScalar } from 'yaml';
import { eachNode } from './each-node.ts';

/** An error in a text, and its position. */
export interface Fault {
  readonly offset: number;
  readonly size: number;
  readonly message: string;
  /** Whether everything after it is read as a part of it, so that nothing more can be checked. */
  readonly isOpen?: boolean;
}

/** The parser's message, and its subject. */
interface Context {
  readonly text: string;
  readonly document: Document;
  readonly from: number;
  readonly to: number;
  readonly detail: string;
}

type Explain = (context: Context) => string | Partial<Fault>;

/** The explanation of a parser error. */
export function faultOf({ code, pos, message: detail }: YAMLError, text: string, document: Document): Fault {
  const [from, to] = pos;
  const found = (EXPLAIN[code] ?? other)({ text, document, from, to, detail });
  const explained = typeof found === 'string' ? { message: found } : found;
  return { offset: from, size: Math.max(1, to - from), message: other({ detail }), ...explained };
}

/** Whether the rest of the document is parsed as it was meant. */
export function isHarmless({ code }: YAMLError): boolean {
  return HARMLESS.has(code);
}

const HARMLESS: ReadonlySet<string> = new Set([
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'MULTIPLE_DOCS',
  'TAG_RESOLVE_FAILED',
]);

/** Line ends of classic Mac OS. */
export const RETURNS = 'lines end with a carriage return only: save the file with LF or CRLF';

const EXPLAIN: Readonly<Record<string, Explain>> = {
  BAD_ALIAS: ({ text, from }) =>
    `${text[from] === '&' ? '`&` begins the name of an anchor' : '`*` begins the name of an alias'} in YAML: put the value into quotes`,
  BAD_DIRECTIVE: () =>
    'a line that begins with `%` is a directive of YAML, and this one is unknown: remove it',
  BAD_DQ_ESCAPE: ({ text, from }) =>
    `\`${text.slice(from, from + 2)}\` means nothing within double quotes: double the backslash, or use single quotes`,
  BAD_INDENT: (context) =>
    context.detail.startsWith('Flow') ? unclosedBracket(context) : misaligned(context),
  BAD_SCALAR_START: ({ text, from }) =>
    `no value begins with ${text[from] === '`' ? 'a backtick' : `\`${text[from]}\``} in YAML: put it into quotes`,
  BLOCK_AS_IMPLICIT_KEY: nested,
  BLOCK_IN_FLOW: () => ({ message: 'expected a comma between the items in the brackets', size: 1 }),
  KEY_OVER_1024_CHARS: () => ({ message: 'this key is longer than 1024 characters', size: 1 }),
  MISSING_CHAR: missing,
  MULTILINE_IMPLICIT_KEY: keyOverLines,
  MULTIPLE_ANCHORS: () => 'a value can have only one anchor (`&name`)',
  MULTIPLE_DOCS: () => ({
    message: 'a second document begins here, and is not read: remove the `---`',
    size: 3,
  }),
  TAB_AS_INDENT: () => 'a tab indents this line: YAML takes spaces only',
  TAG_RESOLVE_FAILED: () => '`!` begins a tag in YAML, and this one is unknown: put the value into quotes',
  UNEXPECTED_TOKEN: unexpected,
};

function other({ detail }: Pick<Context, 'detail'>): string {
  return `not valid YAML: ${detail.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())}`;
}

/** The part of a line before an offset, and the line without its end. */
function lineAt(text: string, offset: number): { readonly start: number; readonly line: string } {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  return { start, line: text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '') };
}

/** The column of the first key in a line, from 1, after the dashes of lists. */
function keyColumn(line: string): number {
  return /^\s*(?:-\s+)*/.exec(line)![0].length + 1;
}

/** The nearest preceding line with content. */
function lineAbove(text: string, start: number): string | undefined {
  for (let end = start; end > 0;) {
    const above = lineAt(text, end - 1);
    if (/^\s*[^\s#]/.test(above.line)) return above.line;
    end = above.start;
  }
  return undefined;
}

function misaligned({ text, from }: Context): Partial<Fault> {
  const { start, line } = lineAt(text, from);
  const above = lineAbove(text, start);
  const [column, before] = [keyColumn(line), above === undefined ? 0 : keyColumn(above)];
  const at = { offset: start + column - 1, size: Math.max(1, line.trimEnd().length - column + 1) };
  if (above === undefined || column === before || /^\s*-/.test(line))
    return { ...at, message: 'the indentation of this line matches none of the lines above it' };
  return {
    ...at,
    message: `this begins at column ${column}, and the lines above it at column ${before}: keys of the same map begin at the same column`,
  };
}

const DEEPER = 'this is the value of its key, but the line below is indented as if it went on';

function nested({ text, document, from, detail }: Context): string | Partial<Fault> {
  if (/sequence/.test(detail))
    return { message: 'an item of a list is among keys here: indent it below its key', size: 1 };
  const { line } = lineAt(text, from);
  const rest = line.slice(from - (text.lastIndexOf('\n', from - 1) + 1));
  if (/\r(?!\n)/.test(rest)) return RETURNS;
  if (/[:][\s]/.test(`${rest} `) || !document.contents)
    return { message: 'a value with a colon must be in quotes', size: rest.trimEnd().length };
  return { message: DEEPER, size: Math.max(1, rest.trimEnd().length) };
}

function keyOverLines({ text, from }: Context): Partial<Fault> {
  const { start, line } = lineAt(text, from);
  const offset = start + keyColumn(line) - 1;
  const words = line.slice(keyColumn(line) - 1).trimEnd();
  if (/^-\w/.test(words)) return { offset, size: 1, message: 'a space is missing after this dash' };
  const keyed = /^["']?[\w.-]+["']?:\s+(?=\S)/.exec(words);
  if (keyed)
    return { offset: offset + keyed[0].length, size: words.length - keyed[0].length, message: DEEPER };
  const colon = /^["']?[\w.-]+["']?:(?=\S)/.exec(words);
  if (colon)
    return { offset: offset + colon[0].length - 1, size: 1, message: 'a space is missing after this colon' };
  return { offset, size: Math.max(1, words.length), message: 'the colon of this key is missing' };
}

function missing(context: Context): string | Partial<Fault> {
  const { detail } = context;
  if (/quote/.test(detail)) return unclosedQuote(context);
  if (detail.startsWith('Flow')) return unclosedBracket(context);
  if (detail.startsWith('Sequence item')) return misaligned(context);
  if (detail.startsWith('Implicit map keys')) return { message: 'the colon of this key is missing' };
  return other(context);
}

function unclosedQuote({ document, from }: Context): Partial<Fault> {
  const open = lastNode(document, from, (node) => isScalar(node) && node.type?.startsWith('QUOTE') === true);
  return { offset: open ?? from, size: 1, message: 'this quote is never closed', isOpen: true };
}

function unclosedBracket({ text, document, from }: Context): Partial<Fault> {
  const open = lastNode(document, from, (node) => isCollection(node) && node.flow === true) ?? from;
  const other = text[open] === '{' ? '}' : ']';
  const isClosed = new RegExp(`^\\s*\\${other}`, 'm').test(text.slice(open));
  const message = isClosed
    ? 'the content of this bracket, and its closing bracket, must be indented further than its key'
    : `this bracket is never closed: \`${other}\` is missing`;
  return { offset: open, size: 1, message, isOpen: true };
}

/** The start of the last node of a kind that is still open at an offset. */
function lastNode(document: Document, offset: number, is: (node: Node) => boolean): number | undefined {
  let found: number | undefined;
  eachNode(document, (node) => {
    const [start, , end] = node.range ?? [0, 0, 0];
    if (is(node) && start < offset && end >= offset - 1 && start >= (found ?? 0)) found = start;
    return undefined;
  });
  return found;
}

function unexpected({ text, from, detail }: Context): string | Partial<Fault> {
  if (detail.startsWith('Block scalar header')) return 'after `|` or `>` the text begins on the next line';
  const { start, line } = lineAt(text, from);
  const size = Math.max(1, line.trimEnd().length - (from - start));
  const before = line.slice(0, from - start).trim();
  if (before === '' && isAfterList(text, start))
    return { size, message: 'this is not YAML: expected keys such as `providers:`' };
  return { size, message: 'the value ends before this: put all of it into one pair of quotes' };
}

/** Whether the text begins with a bracket, as in other file formats. */
function isAfterList(text: string, start: number): boolean {
  return /^\s*[[{]/.test(text) && start > 0;
}
