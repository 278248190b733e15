import type { z } from 'zod';
import type { Path, Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { KnownKeys } from './json-schema.ts';
import { knownKeys } from './json-schema.ts';
import { issueText, kindText } from './issue-words.ts';
import { listed } from './listed.ts';
import { pathText } from './positions.ts';
import { meantKey, nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/**
 * Turns the issues that the schema found into problems with positions and suggestions. In a union, only the issues of
 * the branch that was most likely meant are reported.
 * @param options.base path of the value within the document
 * @param options.known the keys that are allowed at a path; those of config.yaml by default
 */
export function explain(
  issues: readonly Issue[],
  positions: Positions,
  { base = [], known = knownKeys }: { base?: Path; known?: KnownKeys } = {},
): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    if (issue.code === 'invalid_key') {
      const name = String(path.at(-1));
      const message = issueText(issue.issues[0]?.message ?? issue.message);
      return [positions.atKey(path.slice(0, -1), name, `\`${name}\` cannot be a name here: ${message}`)];
    }
    if (issue.code === 'invalid_union' && issue.errors.every(areMissing)) return [lacking(positions, path)];
    if (issue.code === 'invalid_union') {
      const meant = meantBranch(issue.errors);
      return meant
        ? explain(meant, positions, { base: path, known })
        : [positions.atValue(path, described(path, issue.message))];
    }
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey(positions, path, key, known(path)));
    if (issue.code === 'invalid_value') return [wrongChoice(positions, path, issue.values)];
    if (issue.code === 'invalid_type' && isMissing(issue))
      return [lacking(positions, path, ` (${kindText(issue.expected)})`)];
    return [positions.atValue(path, described(path, issueText(issue.message)))];
  });
}

/** Whether there is no value at all. */
function isMissing({ code, message }: Issue): boolean {
  return code === 'invalid_type' && message.includes('received undefined');
}

/** The same for a branch of a union. */
function areMissing(branch: readonly Issue[]): boolean {
  return branch.some((issue) => issue.path.length === 0 && isMissing(issue));
}

function lacking(positions: Positions, path: Path, kind = ''): Problem {
  return positions.atValue(path.slice(0, -1), `${owner(path)}needs \`${String(path.at(-1))}\`${kind}`);
}

/** The branch that got furthest into the value: its issues are about parts of the value, not about its type. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) =>
    issues.some((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
}

function unknownKey(positions: Positions, path: Path, key: string, known: readonly string[]): Problem {
  const meant = meantKey(key, known);
  const hint = meant ? `did you mean \`${meant}\`?` : (slip(key) ?? `known here: ${listed(known)}`);
  const where = path.length > 0 ? ` in ${pathText(path)}` : '';
  return positions.atKey(path, key, `unknown key \`${key}\`${where}`, hint);
}

/** Suggestions for keys that are named differently in other programs' formats. */
function slip(key: string): string | undefined {
  if (key.startsWith('//')) return 'comments begin with #';
  if (/^-\w/.test(key)) return 'a space is missing after the dash';
  return undefined;
}

/** A value that is not among those allowed at a path, with a suggestion. */
export function wrongChoice(positions: Positions, path: Path, values: readonly unknown[]): Problem {
  const names = values.map(String);
  const found = positions.value(path);
  const close = typeof found === 'string' ? nearest(found, names, 1)[0] : undefined;
  const hint = close ? `did you mean \`${close}\`?` : undefined;
  const shown = found === undefined ? '' : `, found \`${String(found)}\``;
  return positions.atValue(
    path,
    described(path, `expected one of ${listed(names)}${shown}`),
    hint ? { hint } : {},
  );
}

function described(path: Path, message: string): string {
  return path.length > 0 ? `${pathText(path)}: ${message}` : message;
}

function owner(path: Path): string {
  return path.length > 1 ? `${pathText(path.slice(0, -1))} ` : 'the configuration ';
}
