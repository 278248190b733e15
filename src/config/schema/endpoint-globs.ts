/** Lists of endpoints, as keys, groups and limits have them. */
import { z } from 'zod';
import { globMatcher, isGlob } from '../globs.ts';
import { nearest } from '../suggest.ts';
import { text } from '../words.ts';

/** What a list may name, as `wire/endpoints.ts` defines it; a test compares the two. */
export const ENDPOINTS = [
  'chat',
  'messages',
  'messages.count_tokens',
  'responses',
  'responses.input_tokens',
  'responses.compact',
  'gemini',
  'gemini.count_tokens',
  'gemini.embed',
  'gemini.batch_embed',
  'gemini.predict',
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
  'ollama.embed',
  'ollama.embeddings',
  'completions',
  'embeddings',
  'moderations',
  'images.generations',
  'images.edits',
  'images.variations',
  'audio.speech',
  'audio.transcriptions',
  'audio.translations',
  'rerank',
  'realtime',
  'realtime.live',
  'feedback',
  'passthrough',
] as const;

/**
 * Globs of endpoints. Each must match one, because the names are fixed: a limit on a misspelt endpoint would never
 * apply.
 */
export const endpointGlobs = z.array(
  text.superRefine((glob, context) => {
    const fits = isGlob(glob) ? globMatcher(glob) : (name: string) => name === glob;
    if (ENDPOINTS.some(fits)) return;
    const [close] = nearest(glob, ENDPOINTS, 1);
    const hint =
      close === undefined
        ? `expected names such as ${ENDPOINTS[0]} or "images.*"`
        : `did you mean \`${close}\`?`;
    context.addIssue({ code: 'custom', message: `there is no endpoint \`${glob}\`; ${hint}` });
  }),
);
