/** What the profiler of Bun finds, in the format of Chrome's DevTools. Lines count from 0, times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** Since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** File and line; for native code, where it was called from most often. */
  readonly place: string;
  readonly us: number;
}

/**
 * The time that each function was seen in, without those it called; the most first. No samples are taken while no
 * JavaScript runs, so that time is a line of its own: the runtime's own work, and waiting.
 * @param intervalUs between two samples while JavaScript runs
 * @param root the folder that places are told from
 */
export function selfTimes(profile: CpuProfile, intervalUs: number, root: string): readonly SelfTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const placeOf = ({ callFrame: { url, lineNumber } }: ProfileNode) =>
    `${url
      .replace('file://', '')
      .replace(`${root}/`, '')
      .replace(/^.*\/node_modules\//, '')}:${lineNumber + 1}`;
  const callerOf = (node: ProfileNode): string => {
    const parent = nodes.get(parents.get(node.id) ?? -1);
    if (!parent) return 'the event loop';
    return parent.callFrame.url ? placeOf(parent) : callerOf(parent);
  };

  /** By function, by place. */
  const found = new Map<string, Map<string, number>>();
  let outsideUs = 0;
  profile.samples.forEach((id, n) => {
    const deltaUs = profile.timeDeltas[n]!;
    // A sampler that is late by half is not late, it had nothing to sample.
    const us = deltaUs < 1.5 * intervalUs ? deltaUs : intervalUs;
    outsideUs += deltaUs - us;
    const node = nodes.get(id)!;
    const { functionName, url } = node.callFrame;
    const name = functionName || '(anonymous)';
    const key = url ? `${name} ${placeOf(node)}` : name;
    const places = found.get(key) ?? new Map<string, number>();
    const place = url ? placeOf(node) : `native, from ${callerOf(node)}`;
    places.set(place, (places.get(place) ?? 0) + us);
    found.set(key, places);
  });
  const functions = [...found].map(([key, places]) => {
    const [place] = [...places].toSorted((a, b) => b[1] - a[1])[0]!;
    const us = [...places.values()].reduce((sum, each) => sum + each, 0);
    return { name: key.endsWith(` ${place}`) ? key.slice(0, -place.length - 1) : key, place, us };
  });
  const outside = { name: '(no JavaScript)', place: 'the event loop, or waiting', us: outsideUs };
  return [...functions, outside].toSorted((a, b) => b.us - a.us);
}
