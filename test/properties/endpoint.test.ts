import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { CooldownTicket } from '../../src/pipeline/targets/cooldown.ts';
import type { Inbound } from '../../src/pipeline/inbound.ts';
import type { Place } from './cooldown-model.ts';
import { EndpointState } from '../../src/pipeline/targets/endpoint-state.ts';
import { callOf } from '../../src/pipeline/routing/fingerprint.ts';
import { CooldownModel } from './cooldown-model.ts';
import { BREAKER, forbidden, targets, call } from './targets.ts';

/** An endpoint as documented: three different refused requests in a row, or a refused trial, confirm a refusal. */
class Model {
  readonly cooldown = new CooldownModel(BREAKER, 0.5);
  #inARow: string[] = [];

  succeed(place: Place): void {
    this.#inARow = [];
    this.cooldown.succeed(place);
  }

  refuse(place: Place, nowMs: number, request: string): void {
    this.#inARow = [...this.#inARow.filter((each) => each !== request), request];
    if (!place.trial && this.#inARow.length < 3) return this.cooldown.release(place);
    this.cooldown.trip(place, 0, nowMs);
    this.#inARow = [];
  }
}

type Step = { begin: true } | { ms: number } | { refused: string; call: number } | { succeeds: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ begin: fc.constant(true as const) }), weight: 6 },
  { arbitrary: fc.record({ refused: fc.constantFrom('a', 'b', 'c', 'd'), call: fc.nat(9) }), weight: 6 },
  { arbitrary: fc.record({ ms: fc.nat(4_000) }), weight: 3 },
  fc.record({ succeeds: fc.nat(9) }),
);

describe('EndpointState', () => {
  test('is put on cooldown by different refused requests in a row, as its model is', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (sequence) => {
        const state = new EndpointState(BREAKER, () => 0.5);
        const model = new Model();
        const out: { ticket: CooldownTicket; place: Place }[] = [];
        let nowMs = 0;
        for (const next of sequence) {
          if ('ms' in next) nowMs += next.ms;
          else if ('begin' in next)
            out.push({ ticket: state.cooldown.begin(nowMs), place: model.cooldown.begin(nowMs) });
          else if (out.length > 0) {
            const nth = 'call' in next ? next.call : next.succeeds;
            const [{ ticket, place }] = out.splice(nth % out.length, 1) as [(typeof out)[0]];
            if ('call' in next) {
              state.refuse(ticket, forbidden, nowMs, { fingerprint: next.refused });
              model.refuse(place, nowMs, next.refused);
            } else {
              state.succeed(ticket);
              model.succeed(place);
            }
          }
          expect(state.cooldown.readyAt(nowMs)).toBe(model.cooldown.readyAt(nowMs, false));
          expect(state.cooldown.hold(nowMs)?.times).toBe(model.cooldown.held(nowMs)?.times);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is not put on cooldown by one request sent repeatedly; other endpoints stay available', () => {
    const [target, other] = targets().models;
    const refuse = (request: string) => target.fail(target.begin(call('chat', request), 0), forbidden, 0, 0);
    for (let n = 0; n < 20; n += 1) refuse(n % 2 === 0 ? 'one' : 'two');
    expect(target.readyAt(call(), 0)).toBe(0);
    refuse('three');
    expect(target.readyAt(call(), 0)).toBe(2_000);
    expect([target.readyAt(call('embeddings'), 0), other.readyAt(call(), 0)]).toEqual([0, 0]);
  });
});

describe('callOf()', () => {
  const inbound = (bytes: Uint8Array<ArrayBuffer>, stream = false): Inbound => ({
    endpoint: 'chat',
    caller: null,
    model: 'm',
    stream,
    form: 'events',
    contentType: 'application/json',
    bytes,
    json: { text: '', value: {} },
    headers: {},
    beginWithinMs: Infinity,
    endWithinMs: Infinity,
  });
  const need = () => ({ input: 0, output: 0, bounded: true });
  const print = (bytes: Uint8Array<ArrayBuffer>) => callOf(inbound(bytes), need).fingerprint();

  test('returns the same fingerprint for the same request, and a different one for a different request', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((each) => new Uint8Array(each));
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, by) => {
        const changed = one.slice();
        changed[at % one.length]! ^= by;
        expect(print(one.slice())).toBe(print(one));
        expect(print(changed)).not.toBe(print(one));
        expect(print(one.subarray(1))).not.toBe(print(one));
      }),
    );
  });

  test('distinguishes long requests by their beginning, their end and their length', () => {
    const long = new Uint8Array(200_000);
    const changed = (at: number) => {
      const copy = long.slice();
      copy[at] = 1;
      return print(copy);
    };
    const prints = [print(long), changed(0), changed(32_767), changed(199_999), changed(167_232)];
    expect(new Set([...prints, print(long.subarray(1))]).size).toBe(6);
    const short = new Uint8Array(40_000);
    const end = short.slice();
    end[39_999] = 1;
    expect(print(end)).not.toBe(print(short));
  });

  test('distinguishes streamed from unstreamed requests', () => {
    const endpoints = [true, false].map(
      (stream) => callOf(inbound(new Uint8Array(1), stream), need).endpoint,
    );
    expect(new Set(endpoints).size).toBe(2);
  });
});
