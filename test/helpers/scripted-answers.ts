/** Providers of every protocol with an answer that the test supplies, streamed in pieces of its choice. */
import type { SpeakerName } from './speakers.ts';
import type { Upstream } from './upstream.ts';
import { ANSWER, eventStream, SPEAKERS } from './speakers.ts';
import { upstream } from './upstream.ts';

/** The content of an answer. */
export interface ScriptedAnswer {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  /** The arguments of the first call, as JSON text of an object. */
  readonly args: readonly string[];
}

type Event = readonly [name: string, data: object];

/** The texts of the speakers' own answer, and the pieces that replace them in a stream. */
const PLACES: Readonly<Record<string, keyof ScriptedAnswer>> = {
  [ANSWER.reasoning]: 'reasoning',
  'Looking ': 'text',
  [ANSWER.calls[0][1]]: 'args',
  '{"city":': 'args',
};
const LEFT_OUT = ['it up.', '"Paris"}'];

/** A provider with this answer, unstreamed or streamed as requested. @param told makes the answer from the request */
export function answering(name: SpeakerName, told: (asked: string) => ScriptedAnswer): Upstream {
  return upstream(({ text, path }) => {
    const isStream = /"stream":\s*true/.test(text) || /stream/i.test(path);
    return answer(name, told(text), isStream ? 'stream' : 'whole');
  });
}

function answer(name: SpeakerName, told: ScriptedAnswer, way: 'whole' | 'stream'): Response {
  const { type, events, whole, ...speaker } = SPEAKERS[name];
  if (way === 'whole') return Response.json(changed(whole, told));
  const streamed = (events as readonly Event[]).flatMap((event) => eventsOf(event, told));
  return eventStream(type, streamed, 'end' in speaker ? speaker.end : '');
}

function eventsOf([name, data]: Event, told: ScriptedAnswer): Event[] {
  const isWhole = /done|completed/.test(name);
  const texts: string[] = [];
  eachText(data, (text) => texts.push(text));
  if (!isWhole && texts.some((text) => LEFT_OUT.includes(text))) return [];
  const place = isWhole ? undefined : texts.find((text) => text in PLACES);
  if (place === undefined) return [[name, changed(data, told)]];
  return told[PLACES[place]!].map((piece) => [
    name,
    mapped(data, (text) => (text === place ? piece : undefined)) as object,
  ]);
}

function changed(value: object, told: ScriptedAnswer): object {
  const args = told.args.join('');
  return mapped(
    value,
    (text) => {
      if (text === ANSWER.reasoning) return told.reasoning.join('');
      if (text === ANSWER.text) return told.text.join('');
      return text === ANSWER.calls[0][1] ? args : undefined;
    },
    JSON.parse(args),
  ) as object;
}

/** @param args replaces the first call's arguments if those are not text */
function mapped(value: unknown, map: (text: string) => string | undefined, args?: unknown): unknown {
  if (typeof value === 'string') return map(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => mapped(item, map, args));
  if (typeof value !== 'object' || value === null) return value;
  if ('city' in value && args !== undefined) return args;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapped(inner, map, args)]));
}

function eachText(value: unknown, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value);
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) eachText(inner, visit);
}
