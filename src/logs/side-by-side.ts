/** Determines which log files were written at the same time, by several workers or machines. */
import { dirname, basename } from 'node:path';
import type { LogInput } from './input.ts';
import { parseLogName, parseUploadedName } from './names.ts';

export interface SideBySide {
  /**
   * For each input, the index of the first input from the same day and directory; its own index if there is none
   * before.
   */
  readonly groups: readonly number[];
  /** For each input, the index of the first input that the same worker wrote on that day. */
  readonly hands: readonly number[];
  /** The largest number of workers that wrote on one day. */
  readonly workers: number;
}

/** @returns `undefined` if each input was written after the one before it, as far as names tell */
export function sideBySide(inputs: readonly LogInput[]): SideBySide | undefined {
  const days = new Map<string, number>();
  const workers = new Map<string, number>();
  const groups: number[] = [];
  const hands: number[] = [];
  for (const [number, { path }] of inputs.entries()) {
    const name = basename(path).replace(/\.gz$/, '');
    const uploaded = parseUploadedName(name);
    const log = uploaded ?? parseLogName(name);
    const day = log ? `${dirname(path)}/${log.day}` : `${number}`;
    groups.push(days.getOrInsert(day, number));
    hands.push(workers.getOrInsert(`${day}/${uploaded?.host ?? ''}/${log?.worker ?? 0}`, number));
  }
  const together = Map.groupBy(new Set(hands), (hand) => groups[hand]!);
  const most = Math.max(1, ...[...together.values()].map((all) => all.length));
  return most > 1 ? { groups, hands, workers: most } : undefined;
}
