import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Effort } from './row.ts';

export interface Options {
  readonly quick: boolean;
  /** How many fresh processes of each subject to measure. */
  readonly instances: number;
  /** Names of rows; all rows by default. */
  readonly rows: readonly string[] | undefined;
  /** Binaries to measure instead of this working copy's. */
  readonly binaries: readonly { readonly name: string; readonly path: string }[];
  /** The folder in which other proxies are installed, see peers.ts. */
  readonly peers: string | undefined;
  /** The subject that all others are compared with, instead of the one that each measure names. */
  readonly base: string | undefined;
  readonly effort: Effort;
}

/** @throws on an unknown or invalid option */
export function options(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      instances: { type: 'string' },
      rows: { type: 'string' },
      subject: { type: 'string', multiple: true, default: [] },
      base: { type: 'string' },
      warm: { type: 'string', default: '0' },
      peers: { type: 'string' },
    },
  });
  const instances = Number(values.instances ?? (values.quick ? 1 : 10));
  if (!(Number.isInteger(instances) && instances > 0))
    throw new Error(`Cannot use --instances ${values.instances}: expected a whole number from 1`);
  const leastWarmMs = Number(values.warm) * 1000;
  if (!(leastWarmMs >= 0)) throw new Error(`Cannot use --warm ${values.warm}: expected seconds`);
  return {
    quick: values.quick,
    instances,
    rows: values.rows?.split(','),
    binaries: values.subject.map((text) => {
      const [name, path] = text.split('=');
      if (!name || !path) throw new Error(`Cannot use --subject ${text}: expected NAME=BINARY`);
      return { name, path: resolve(path) };
    }),
    peers: values.peers ? resolve(values.peers) : undefined,
    base: values.base,
    effort: values.quick
      ? { share: 0.25, leastWarmMs, warmMs: Math.max(2_500, leastWarmMs), windowMs: 300, windows: 2 }
      : { share: 1, leastWarmMs, warmMs: 15_000 + leastWarmMs, windowMs: 800, windows: 3 },
  };
}
