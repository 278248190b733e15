/** Answers of every provider protocol that contain odd values. */
import fc from 'fast-check';
import type { SpeakerName } from '../helpers/speakers.ts';
import { SPEAKERS } from '../helpers/speakers.ts';

/** Values that may replace any other: by name, as JSON text, so that failures are short. */
const ODD: Readonly<Record<string, string>> = {
  minus: '-1',
  half: '0.5',
  huge: '1e308',
  infinite: '1e999',
  unsafe: '9007199254740993',
  null: 'null',
  true: 'true',
  'empty list': '[]',
  'empty object': '{}',
  'empty text': '""',
  text: '"odd"',
  'list of null': '[null]',
  'list of lists': '[[1]]',
  'not a text': '{"toString":1,"valueOf":1,"length":-1}',
  'half a character': '"\\ud83d"',
  control: '"\\u0000\\u001b[31m\\r\\n"',
  long: `"${'x'.repeat(100_000)}"`,
  deep: `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  bottomless: `${'{"a":['.repeat(60_000)}${']}'.repeat(60_000)}`,
  'deep in a text': JSON.stringify(`${'{"a":['.repeat(60_000)}${']}'.repeat(60_000)}`),
  proto: '{"__proto__":{"choices":[]},"constructor":1}',
};

/** A change of one value: the n-th in reading order, modulo the number of values. */
interface Change {
  readonly at: number;
  /** The name of the replacement; omitted to drop the value. */
  readonly odd: string | undefined;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(400),
  odd: fc.option(fc.constantFrom(...Object.keys(ODD)), { nil: undefined, freq: 8 }),
});

type Moving = { readonly kind: 'twice' | 'drop' | 'swap'; readonly at: number };
const moving: fc.Arbitrary<Moving> = fc.record({
  kind: fc.constantFrom('twice' as const, 'drop' as const, 'swap' as const),
  at: fc.nat(30),
});

export interface Spoiling {
  readonly changes: readonly Change[];
  readonly moves: readonly Moving[];
}

export const spoiling: fc.Arbitrary<Spoiling> = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  moves: fc.oneof(
    { arbitrary: fc.constant([]), weight: 3 },
    { arbitrary: fc.array(moving, { minLength: 1, maxLength: 3 }), weight: 1 },
  ),
});

/** A placeholder for JSON text that no value could produce, until the text is made. */
const MARK = 'odd value ';

/** Every place in a value: the object or list that contains it, and its key. */
function placesOf(holder: object): (readonly [holder: Record<string, unknown>, key: string])[] {
  return Object.entries(holder).flatMap(([key, value]) => [
    [holder as Record<string, unknown>, key] as const,
    ...(typeof value === 'object' && value !== null ? placesOf(value) : []),
  ]);
}

function changed(root: { value: unknown }, { at, odd }: Change): void {
  const places = placesOf(root);
  const [holder, key] = places[at % places.length]!;
  if (odd !== undefined) holder[key] = MARK + odd;
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (holder !== root) delete holder[key];
}

/** A value as JSON text, with its odd values. */
const textOf = (value: unknown) =>
  JSON.stringify(value).replace(/"odd value ([^"]*)"/g, (_, name: string) => ODD[name]!);

/** A speaker's unstreamed answer with changes. */
export function spoiledWhole(name: SpeakerName, { changes }: Spoiling): string {
  const root = { value: structuredClone(SPEAKERS[name].whole) as unknown };
  for (const each of changes) changed(root, each);
  return textOf(root.value);
}

/** The events of a speaker's stream with changes: names, and data as text. */
export function spoiledEvents(
  name: SpeakerName,
  { changes, moves }: Spoiling,
): (readonly [string, string])[] {
  const events = structuredClone(SPEAKERS[name].events) as unknown as [string, unknown][];
  for (const { kind, at } of moves) {
    const place = at % events.length;
    if (kind === 'twice') events.splice(place, 0, structuredClone(events[place]!));
    else if (kind === 'swap') events.push(...events.splice(place, 1));
    else if (events.length > 1) events.splice(place, 1);
  }
  const roots = events.map(([, value]) => ({ value }));
  for (const each of changes)
    changed(roots[each.at % roots.length]!, { ...each, at: Math.floor(each.at / 7) });
  return events.map(([event], index) => [event, textOf(roots[index]!.value)]);
}
