import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Place, Room, RoomLimits } from '../../src/limits/limits.ts';
import type { ModelCall } from './room-model.ts';
import { BothRooms } from '../../src/limits/both-rooms.ts';
import { LOCAL_LIMITS } from '../../src/limits/local.ts';
import { sharedLimits } from '../../src/limits/shared.ts';
import { SharedMemory } from '../../src/limits/shared-memory.ts';
import { RoomModel } from './room-model.ts';

/** A call begins or ends, or time passes. Numbers are indexes, modulo the number of calls. */
type Step =
  | { readonly begin: number; readonly by: number }
  | { readonly end: number; readonly used: number | undefined; readonly made: boolean }
  | { readonly ms: number };

const tokens = fc.oneof(fc.nat(50), fc.nat(3_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ begin: tokens, by: fc.nat(2) }), weight: 5 },
  {
    arbitrary: fc.record({
      end: fc.nat(20),
      used: fc.option(tokens, { nil: undefined }),
      made: fc.boolean(),
    }),
    weight: 3,
  },
  fc.record({ ms: fc.oneof(fc.nat(500), fc.nat(90_000)) }),
);
const steps = fc.array(step, { maxLength: 80, size: 'max' });

const limit = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: undefined });
const limits: fc.Arbitrary<RoomLimits> = fc.record({
  rateLimit: fc.record({ requests: limit(20), tokens: limit(1_000) }),
  maxConnections: limit(4),
});

/** The same capacity as three processes see it. */
function sharedRooms(ofRoom: RoomLimits, ofModel: RoomLimits): Room[] {
  const memory = new SharedMemory(new Uint8Array(SharedMemory.bytes(3)), 3);
  return [0, 1, 2].map((index) => {
    const shared = sharedLimits({ memory, index, offsetMs: index * 1_000_000 });
    return both(shared.room('a'), shared.room('a/m'), ofRoom, ofModel);
  });
}

function both(outer: Room, inner: Room, ofRoom: RoomLimits, ofModel: RoomLimits): Room {
  outer.configure(ofRoom);
  inner.configure(ofModel);
  return new BothRooms(outer, inner);
}

/** The units by which rounding to microseconds may change a limit after this many steps. */
const ROUNDING = 0.05;

interface Running {
  readonly place: Place;
  readonly calls: readonly ModelCall[];
}

/** Applies each step to the capacities and to their models, and checks that they admit the same calls. */
function agree(
  rooms: readonly Room[],
  models: readonly RoomModel[],
  sequence: readonly Step[],
  offsetMs: number,
) {
  const running: { readonly by: number; readonly call: Running }[] = [];
  let nowMs = 10_000_000;
  const at = (by: number) => nowMs - by * offsetMs;
  for (const next of sequence) {
    if ('ms' in next) {
      nowMs += next.ms;
      for (const model of models) model.pass(next.ms);
    } else if ('begin' in next) begin(next.begin, next.by % rooms.length);
    else if (running.length > 0) end(next);
  }

  function begin(count: number, by: number): void {
    const room = rooms[by]!;
    const ready = room.readyAt(at(by), count);
    const words = room.full(at(by), count);
    const place = room.take(at(by), count);
    expect([ready === 0, words === undefined]).toEqual([place !== undefined, place !== undefined]);
    const lack = Math.max(...models.map((model) => model.lack(count)));
    if (Math.abs(lack) > ROUNDING) expect(place !== undefined).toBe(lack <= 0);
    if (place) running.push({ by, call: { place, calls: models.map((model) => model.begin(count)) } });
    else expect(ready).toBeGreaterThan(at(by));
  }

  function end({ end: which, used, made }: Extract<Step, { end: number }>): void {
    const [{ by, call }] = running.splice(which % running.length, 1) as [(typeof running)[0]];
    if (made) call.place.end(at(by), used);
    else call.place.cancel(at(by));
    for (const [index, model] of models.entries()) {
      if (made) model.end(call.calls[index]!, used);
      else model.cancel(call.calls[index]!);
    }
  }
}

describe('the capacity of a provider and of one of its models', () => {
  test('admits exactly the calls for which both limits have capacity left', () => {
    fc.assert(
      fc.property(limits, limits, steps, (ofRoom, ofModel, sequence) => {
        const room = both(LOCAL_LIMITS.room('a'), LOCAL_LIMITS.room('a/m'), ofRoom, ofModel);
        agree([room], [new RoomModel(ofRoom), new RoomModel(ofModel)], sequence, 0);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same for processes that share it, whatever their clocks say', () => {
    fc.assert(
      fc.property(limits, limits, steps, (ofRoom, ofModel, sequence) => {
        const rooms = sharedRooms(ofRoom, ofModel);
        agree(rooms, [new RoomModel(ofRoom), new RoomModel(ofModel)], sequence, 1_000_000);
      }),
      { numRuns: 300 },
    );
  });
});
