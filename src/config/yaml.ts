import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Problem } from './problems.ts';
import { interpolate } from './interpolate.ts';
import { Positions } from './positions.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A configuration as it is written. */
export interface ConfigSource {
  readonly path: string;
  readonly text: string;
}

/** The values of a configuration with its variables filled in; `undefined` where it is no YAML. */
export function readYaml(
  { text }: ConfigSource,
  env: Env,
): { value: unknown; positions: Positions; problems: Problem[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false });
  const positions = new Positions(document, counter, text);
  const problems: Problem[] = document.errors.map((error) =>
    positions.at([], error.pos[0], Math.max(1, error.pos[1] - error.pos[0]), `YAML: ${error.message}`),
  );
  if (problems.length > 0) return { value: undefined, positions, problems };
  visit(document, {
    Scalar(key, node) {
      const wrong = key === 'key' ? undefined : interpolate(node, env);
      if (wrong) problems.push(positions.at([], node.range?.[0] ?? 0, spanOf(node), wrong));
    },
  });
  return { value: document.toJS() ?? {}, positions, problems };
}

function spanOf(node: unknown): number {
  return isScalar(node) && node.range ? node.range[1] - node.range[0] : 1;
}
