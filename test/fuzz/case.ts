/**
 * A case: a request and, if the answer is mutated, how its providers answer. Its seed and number determine everything.
 */
import type { Endpoint } from '../../src/wire/endpoints.ts';
import type { Ask } from './answers.ts';
import type { Plan } from './draft-answer.ts';
import type { Sending } from './draft-request.ts';
import type { Lane } from './lanes.ts';
import { Dice } from '../simulate/dice.ts';
import { soundAnswer } from './answers.ts';
import { answerStep } from './answer-steps.ts';
import { draftAnswer, planOf } from './draft-answer.ts';
import { draftRequest, sendingOf } from './draft-request.ts';
import { requestStep } from './request-steps.ts';
import { endpointsOf, LANES, modelOf, tokenOf } from './lanes.ts';
import { pathOf, soundRequest } from './requests.ts';
import { soundPlan } from './upstream.ts';

/** What is mutated. */
export type Side = 'request' | 'answer';

export interface Case {
  readonly seed: number;
  readonly number: number;
  readonly side: Side;
  readonly lane: Lane;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  /** The id of the request, if it is sent unchanged. */
  readonly id: string;
  readonly sending: Sending;
  /** The plan for the answer to an attempt; `undefined` if the providers send valid answers. */
  readonly plan: ((ask: Ask, attempt: number) => Plan) | undefined;
  /** How many steps it has, and what the applied ones did. */
  readonly steps: number;
  readonly done: readonly string[];
}

/**
 * Makes a case.
 * @param slot whose providers it uses
 * @param keep the steps to apply; all of them by default
 */
export function makeCase(seed: number, number: number, slot: number, keep?: readonly number[]): Case {
  const own = Math.imul(seed, 1_000_003) + number;
  const dice = new Dice(own, 'case');
  const side: Side = dice.chance(0.45) ? 'request' : 'answer';
  const lane = dice.pick(LANES);
  const endpoint = dice.pick(endpointsOf(lane));
  const model = modelOf(lane, slot, tokenOf(number));
  const id = `fuzz-${seed}-${number}`;
  const asked = soundRequest(endpoint, model, dice);
  const path = pathOf(endpoint, model, asked.stream, dice);
  const request = draftRequest(path, asked, id);
  const steps = dice.pick([1, 1, 1, 2, 2, 3, 5]);
  const done: string[] = [];
  const made = Array.from({ length: steps }, (_, at) => at).filter((at) => keep?.includes(at) ?? true);
  if (side === 'request') {
    for (const at of made) {
      const chance = new Dice(own, `step ${at}`);
      done[at] = requestStep(chance)(request, chance);
    }
  }
  const plan = (ask: Ask, attempt: number): Plan => {
    const sound = soundAnswer(ask, new Dice(own, 'answer'));
    const draft = draftAnswer(sound, ask.stream);
    for (const at of made) {
      const chance = new Dice(own, `step ${at}`);
      done[at] = answerStep(chance)(draft, chance);
    }
    if (draft.once && attempt > 0) return soundPlan(ask);
    return planOf(draft, sound.text);
  };
  return {
    seed,
    number,
    side,
    lane,
    endpoint,
    stream: asked.stream,
    id,
    sending: sendingOf(request),
    plan: side === 'answer' ? plan : undefined,
    steps,
    done,
  };
}
