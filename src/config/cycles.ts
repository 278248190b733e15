/** A name on the way from the first one, and which of the names it refers to were followed. */
interface Step {
  readonly name: string;
  readonly to: readonly string[];
  followed: number;
}

/**
 * The cycles of names that refer to each other, each once, as `a, b, a`. Every reference is followed once, however many
 * ways lead to it.
 * @param to the names that one of them refers to
 */
export function cyclesIn(names: readonly string[], to: (name: string) => readonly string[]): string[][] {
  const cycles: string[][] = [];
  /** The position of each name on the current way; -1 once everything behind it was followed. */
  const places = new Map<string, number>();
  const reported = new Set<string>();
  for (const first of names) {
    const way: Step[] = [];
    const enter = (name: string) => {
      places.set(name, way.length);
      way.push({ name, to: to(name), followed: 0 });
    };
    if (!places.has(first)) enter(first);
    for (let step = way.at(-1); step; step = way.at(-1)) {
      const next = step.to[step.followed];
      step.followed += 1;
      if (next === undefined) {
        places.set(step.name, -1);
        way.pop();
        continue;
      }
      const place = places.get(next);
      if (place === undefined) enter(next);
      else if (place >= 0 && !reported.has(step.name)) {
        const cycle = way.slice(place).map(({ name }) => name);
        for (const name of cycle) reported.add(name);
        cycles.push([...cycle, next]);
      }
    }
  }
  return cycles;
}
