/** A profile of Bun's profiler, in the format of Chrome DevTools. Line numbers start at 0, times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Node ids. */
  readonly samples: readonly number[];
  /** The time since the previous sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** File and line; for native code, the place that called it most often. */
  readonly place: string;
  readonly us: number;
}

/**
 * The self time of each function, longest first. No samples are taken while no JavaScript runs, so that time is listed
 * separately: the runtime's own work, and waiting.
 * @param intervalUs the time between two samples while JavaScript runs
 * @param root the folder that paths are shown relative to
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

  /** Microseconds by function name, then by place. */
  const found = new Map<string, Map<string, number>>();
  let outsideUs = 0;
  profile.samples.forEach((id, n) => {
    const deltaUs = profile.timeDeltas[n]!;
    // A sample that is late by more than half an interval was not delayed: there was no JavaScript to sample.
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
