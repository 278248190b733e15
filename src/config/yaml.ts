import type { Document } from 'yaml';
import { isScalar, LineCounter, parseDocument } from 'yaml';
import type { Problem } from './problems.ts';
import type { Fault } from './yaml-faults.ts';
import { checkAliases } from './aliases.ts';
import { eachNode } from './each-node.ts';
import { interpolate } from './interpolate.ts';
import { Positions } from './positions.ts';
import { oddKeys, repeatedKeys, textFault, topFault } from './yaml-checks.ts';
import { faultOf, isHarmless } from './yaml-faults.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A parsed file. */
export interface ConfigSource {
  readonly path: string;
  readonly text: string;
}

/** The text as YAML. */
export interface ParsedYaml {
  readonly positions: Positions;
  /** The problems of the YAML itself. */
  readonly problems: Problem[];
  /** The document; `undefined` if the errors leave its values in doubt. */
  readonly document: Document | undefined;
}

/** How many errors of the parser are explained: they cause each other, and each is searched for in the document. */
const MOST_ERRORS = 100;

/** Parses one of our files. Each error is reported once, in our own words. */
export function parsedYaml(written: string): ParsedYaml {
  // Editors on Windows add a byte order mark, which would count as a column.
  const text = written.replace(/^\uFEFF/, '');
  const counter = new LineCounter();
  const unreadable = textFault(text);
  const document = parseDocument(unreadable ? '' : text, {
    lineCounter: counter,
    uniqueKeys: false,
    merge: true,
    prettyErrors: false,
  });
  // The parser counts the lines, but does not see a text that it cannot read.
  if (unreadable) for (const { index } of text.matchAll(/\n/g)) counter.addNewLine(index + 1);
  const positions = new Positions(() => ({ document, counter }), text);
  const errors = [...document.errors, ...document.warnings];
  const { lost, wrong } = checkAliases(document);
  const odd = oddKeys(document);
  const faults: Fault[] = [
    ...(unreadable ? [unreadable] : []),
    ...errors.slice(0, MOST_ERRORS).map((error) => faultOf(error, text, document)),
    ...lost,
    ...wrong,
    ...repeatedKeys(document, counter),
    ...odd,
  ];
  const broken = unreadable !== undefined || odd.length + wrong.length > 0 || !errors.every(isHarmless);
  return {
    positions,
    problems: firstOfLines(untilOpen(faults).map((fault) => positionedFault(fault, positions))),
    document: broken ? undefined : document,
  };
}

/** The values of a document; `undefined` if it has none that can be used. */
export function valuesOf({ document, positions, problems }: ParsedYaml): unknown {
  if (!document) return undefined;
  // How much aliases expand to was checked.
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  if (value === null || value === undefined || isMapOfKeys(value)) return value ?? null;
  problems.push(positions.at([], document.contents?.range?.[0] ?? 0, 1, topFault(value)));
  return undefined;
}

/** A configuration as read, before its shape is checked. */
export interface ReadConfig {
  /** The values with variables interpolated; `undefined` if it is not valid YAML. */
  readonly value: unknown;
  readonly positions: Positions;
  readonly problems: readonly Problem[];
}

/** Reads a configuration and interpolates its variables. */
export function readYaml({ text }: ConfigSource, env: Env): ReadConfig {
  const parsed = parsedYaml(text);
  const { document, positions, problems } = parsed;
  if (!document) return { value: undefined, positions, problems };
  eachNode(document, (node, isKey) => {
    const wrong = isKey || !isScalar(node) ? undefined : interpolate(node, env);
    if (wrong) problems.push(positions.at([], node.range?.[0] ?? 0, spanOf(node), wrong));
    return undefined;
  });
  const value = valuesOf(parsed);
  if (value === null) problems.push(positions.at([], 0, 1, EMPTY));
  return { value: value ?? undefined, positions, problems };
}

const EMPTY = 'the file is empty: `llmproxy config init FILE` writes a sample';

function isMapOfKeys(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}

function positionedFault({ offset, size, message }: Fault, positions: Positions): Problem {
  return positions.at([], offset, size, message);
}

/** Text after an unclosed bracket or quote is not checked. */
function untilOpen(faults: readonly Fault[]): Fault[] {
  const opened = Math.min(...faults.filter(({ isOpen }) => isOpen).map(({ offset }) => offset));
  return faults.filter(({ offset }) => offset <= opened);
}

/** One error makes the parser report further ones on the same line. */
function firstOfLines(problems: readonly Problem[]): Problem[] {
  const seen = new Set<number>();
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return sorted.filter(({ line }) => !seen.has(line) && seen.add(line));
}

function spanOf(node: unknown): number {
  return isScalar(node) && node.range ? node.range[1] - node.range[0] : 1;
}
