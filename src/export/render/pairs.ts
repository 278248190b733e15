/** Reads from an example what rows of two answers, or of a labelled one, need. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Example } from '../conversation/conversation.ts';
import { RejectError } from '../errors.ts';

/** @throws RejectError when nothing says which answer is worse */
export function rejectedIn({ rejected }: Example): AssistantMessage {
  if (!rejected) throw new RejectError('no_pair');
  return rejected;
}

/** @throws RejectError when the answer has no label */
export function labelIn({ label }: Example): boolean {
  if (label === undefined) throw new RejectError('no_judgement');
  return label;
}

/** @throws RejectError when both are written the same, as answers that differ in their reasoning alone are without them */
export function differing(better: JsonObject[], worse: JsonObject[]): [JsonObject[], JsonObject[]] {
  if (JSON.stringify(better) === JSON.stringify(worse)) throw new RejectError('no_pair');
  return [better, worse];
}
