import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { tiersOf } from '../reported-tiers.ts';
import { sumOf, tokenCount, unitsOf } from '../units.ts';

/** Gemini's usage, normalised: it counts thoughts separately from the answer. */
export function geminiUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const prompt = tokenCount(value.promptTokenCount);
  const visible = tokenCount(value.candidatesTokenCount) ?? tokenCount(value.responseTokenCount);
  const thought = tokenCount(value.thoughtsTokenCount) ?? 0;
  if (prompt === undefined && visible === undefined) return undefined;
  const input = sumOf(prompt ?? 0, tokenCount(value.toolUsePromptTokenCount) ?? 0);
  // Some hosts leave out the parts of the answer, but not the total.
  const rest = Math.max(0, (tokenCount(value.totalTokenCount) ?? 0) - input);
  const output = visible === undefined ? Math.max(rest, thought) : sumOf(visible, thought);
  const reportedDetails = value.candidatesTokensDetails ?? value.responseTokensDetails;
  return {
    input,
    cached: tokenCount(value.cachedContentTokenCount) ?? 0,
    cacheWrite: 0,
    output,
    reasoning: thought,
    ...unitsOf({
      inputAudio: Math.min(ofModality(value.promptTokensDetails, 'AUDIO'), prompt ?? 0),
      cachedAudio: ofModality(value.cacheTokensDetails, 'AUDIO'),
      outputAudio: Math.min(ofModality(reportedDetails, 'AUDIO'), visible ?? 0),
      inputImage: Math.min(ofModality(value.promptTokensDetails, 'IMAGE'), prompt ?? 0),
      cachedImage: ofModality(value.cacheTokensDetails, 'IMAGE'),
      outputImage: Math.min(ofModality(reportedDetails, 'IMAGE'), visible ?? 0),
      inputVideo: Math.min(ofModality(value.promptTokensDetails, 'VIDEO'), prompt ?? 0),
      outputVideo: Math.min(ofModality(reportedDetails, 'VIDEO'), visible ?? 0),
    }),
    ...tiersOf(value.serviceTier, value.trafficType),
  };
}

/** The tokens of one modality in a list. */
function ofModality(details: unknown, modality: string): number {
  const some = listOf(details)
    .map(objectOf)
    .filter((each) => each.modality === modality);
  return sumOf(...some.map((each) => tokenCount(each.tokenCount) ?? 0));
}
