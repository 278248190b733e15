/** Extracts from an example what rows with two answers, or with a label, need. */
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Example } from '../conversation/conversation.ts';
import { RejectError } from '../errors.ts';

/** @throws RejectError when nothing tells which answer is worse */
export function rejectedIn({ rejected }: Example): AssistantMessage {
  if (!rejected) throw new RejectError('no_pair');
  return rejected;
}

/** @throws RejectError when the answer has no label */
export function labelIn({ label }: Example): boolean {
  if (label === undefined) throw new RejectError('no_judgement');
  return label;
}

/** @throws RejectError when both render to the same text, as answers that only differ in their reasoning may */
export function differing(better: JsonObject[], worse: JsonObject[]): [JsonObject[], JsonObject[]] {
  if (JSON.stringify(better) === JSON.stringify(worse)) throw new RejectError('no_pair');
  return [better, worse];
}
