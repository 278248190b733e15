import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Config } from './schema.ts';
import type { Problem } from './problems.ts';
import { explain } from './explain.ts';
import { interpolate } from './interpolate.ts';
import { hasCredentials } from './keys.ts';
import { Positions } from './positions.ts';
import { checkReferences } from './references.ts';
import { schema } from './schema.ts';

export interface LoadResult {
  /** Left out when there are errors. Providers whose key is missing are in it, not enabled. */
  readonly config: Config | undefined;
  /** Everything found, in the order of the file. */
  readonly problems: readonly Problem[];
}

/**
 * Reads a configuration: YAML, `${VAR}`, schema, references. All problems of the file are found at once.
 * @param source its name, for messages, and its text
 */
export function loadConfig(
  source: { path: string; text: string },
  env: Readonly<Record<string, string | undefined>>,
): LoadResult {
  const counter = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: counter,
    uniqueKeys: true,
    prettyErrors: false,
  });
  const positions = new Positions(document, counter, source.text);
  const problems: Problem[] = document.errors.map((error) =>
    positions.at([], error.pos[0], Math.max(1, error.pos[1] - error.pos[0]), `YAML: ${error.message}`),
  );
  if (problems.length > 0) return { config: undefined, problems };
  visit(document, {
    Scalar(key, node) {
      const wrong = key === 'key' ? undefined : interpolate(node, env);
      if (wrong) problems.push(positions.at([], node.range?.[0] ?? 0, spanOf(node), wrong));
    },
  });
  const value: unknown = document.toJS() ?? {};
  const parsed = schema.safeParse(value);
  // A value that could not be filled in fails the schema for that reason alone.
  const filled = problems.map(({ line }) => line);
  if (!parsed.success) {
    problems.push(...explain(parsed.error.issues, positions).filter(({ line }) => !filled.includes(line)));
  } else problems.push(...checkReferences(parsed.data, positions, env));
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  const valid = parsed.success && !problems.some(({ severity }) => severity === 'error');
  return { config: valid ? withoutKeyless(parsed.data, env) : undefined, problems };
}

function spanOf(node: unknown): number {
  return isScalar(node) && node.range ? node.range[1] - node.range[0] : 1;
}

function withoutKeyless(config: Config, env: Readonly<Record<string, string | undefined>>): Config {
  const providers = config.providers.map((provider) => {
    return hasCredentials(provider, env) ? provider : { ...provider, enabled: false };
  });
  return { ...config, providers };
}
