/** A case: a request and, where the answer is what is changed, how its providers answer. Its seed and number say all of it. */
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

/** Whose bytes are changed. */
export type Side = 'request' | 'answer';

export interface Case {
  readonly seed: number;
  readonly number: number;
  readonly side: Side;
  readonly lane: Lane;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  /** The id of the request, as far as it is sent as such. */
  readonly id: string;
  readonly sending: Sending;
  /** The plan of an attempt; `undefined` where the providers answer well. */
  readonly plan: ((ask: Ask, attempt: number) => Plan) | undefined;
  /** How many steps it has, and what those that were made did. */
  readonly steps: number;
  readonly done: readonly string[];
}

/**
 * @param slot whose providers it is for
 * @param keep the steps that are made; all of them where it is left out
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
