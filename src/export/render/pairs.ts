/** What rows of two answers, or of a judged one, need of an example. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Example } from '../conversation/conversation.ts';
import { Unfit } from '../errors.ts';

/** @throws Unfit when nothing says which answer is worse */
export function rejectedIn({ rejected }: Example): AssistantMessage {
  if (!rejected) throw new Unfit('no_pair');
  return rejected;
}

/** @throws Unfit when nobody judged the answer */
export function labelIn({ label }: Example): boolean {
  if (label === undefined) throw new Unfit('no_judgement');
  return label;
}

/** @throws Unfit when both are written the same, as answers that differ in their thoughts alone are without them */
export function differing(better: JsonObject[], worse: JsonObject[]): [JsonObject[], JsonObject[]] {
  if (JSON.stringify(better) === JSON.stringify(worse)) throw new Unfit('no_pair');
  return [better, worse];
}
