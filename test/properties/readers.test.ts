/** What every reader of a provider's stream guarantees, whatever the order of events, and whichever are missing. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ChatChunk } from '../../src/wire/chat.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { PROTOCOLS } from '../../src/pipeline/lanes/translate.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { SPEAKERS } from '../helpers/speakers.ts';

/** The chunks of a stream with the events at these positions. */
function chunksOf(name: SpeakerName, places: readonly number[]): ChatChunk[] {
  const { events } = SPEAKERS[name];
  const context = { model: 'm', quirks: {}, created: 1, newId: () => 'id', memory: NO_MEMORY };
  const request = { model: 'm', stream: true, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
  const reader = PROTOCOLS[name].encode(request as never, context).stream();
  const chunks = places.flatMap((place) => {
    const [event, data] = events[place % events.length]!;
    return reader.push({ ...(event === '' ? {} : { event }), data: JSON.stringify(data) });
  });
  return [...chunks, ...reader.end()];
}

test.each(Object.keys(SPEAKERS) as SpeakerName[])(
  'the reader of %s streams begins every choice with the role',
  (name) => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 12 }), (places) => {
        const begun = new Set<number>();
        for (const { choices } of chunksOf(name, places))
          for (const { index, delta } of choices) {
            if (!begun.has(index)) expect(delta.role).toBe('assistant');
            begun.add(index);
          }
      }),
      { numRuns: 1_000 },
    );
  },
);
