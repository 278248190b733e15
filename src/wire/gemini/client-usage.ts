import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { sumOf } from '../units.ts';

/**
 * `usageMetadata`: thoughts are counted separately from the answer, and each modality in lists. All three counts are
 * always present, since clients add them up.
 * @see https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function encodeUsage(usage: Usage | undefined): JsonObject {
  const { input, cached, output, reasoning, ...units } = usage ?? NOTHING;
  const visible = Math.max(0, output - reasoning);
  const prompt = details(input, units.inputAudio, units.inputImage);
  const cache = details(cached, units.cachedAudio, units.cachedImage);
  const answer = details(visible, units.outputAudio, units.outputImage);
  return {
    promptTokenCount: input,
    candidatesTokenCount: visible,
    totalTokenCount: sumOf(input, output),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    ...(cached > 0 ? { cachedContentTokenCount: cached, cacheTokensDetails: cache } : {}),
    ...(prompt.length > 0 ? { promptTokensDetails: prompt } : {}),
    ...(answer.length > 0 ? { candidatesTokensDetails: answer } : {}),
  };
}

const NOTHING: Usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };

/** Tokens by modality: everything that is neither audio nor image is text. */
export function details(all: number, audio = 0, image = 0): JsonObject[] {
  const text = Math.max(0, all - audio - image);
  return Object.entries({ TEXT: text, AUDIO: audio, IMAGE: image })
    .filter(([, tokenCount]) => tokenCount > 0)
    .map(([modality, tokenCount]) => ({ modality, tokenCount }));
}
