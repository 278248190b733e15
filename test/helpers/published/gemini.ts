/**
 * Google's published schema of Gemini API answers, checked strictly: unknown fields are not allowed.
 * @see https://generativelanguage.googleapis.com/$discovery/rest?version=v1beta
 */
import { z } from 'zod';
import { publishedProblems } from './problems.ts';

const count = z.int().min(0);
const base64 = z.string().regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
const struct = z.record(z.string(), z.unknown());

const blob = z.strictObject({
  mimeType: z.string().min(1),
  data: base64,
  displayName: z.string().optional(),
});
const fileData = z.strictObject({ mimeType: z.string().min(1).optional(), fileUri: z.string().min(1) });

/** Each part has one kind of data, and may also be a thought or signed. */
const DATA = {
  text: z.string(),
  inlineData: blob,
  fileData,
  functionCall: z.strictObject({
    id: z.string().optional(),
    name: z.string().min(1),
    args: struct.optional(),
  }),
  functionResponse: z.strictObject({
    id: z.string().optional(),
    name: z.string().min(1),
    response: struct,
    parts: z.array(z.strictObject({ inlineData: blob })).optional(),
  }),
  executableCode: z.strictObject({
    id: z.string().optional(),
    language: z.enum(['LANGUAGE_UNSPECIFIED', 'PYTHON']),
    code: z.string(),
  }),
  codeExecutionResult: z.strictObject({
    id: z.string().optional(),
    outcome: z.enum(['OUTCOME_UNSPECIFIED', 'OUTCOME_OK', 'OUTCOME_FAILED', 'OUTCOME_DEADLINE_EXCEEDED']),
    output: z.string().optional(),
  }),
};
const part = z.union(
  Object.entries(DATA).map(([name, data]) =>
    z.strictObject({ [name]: data, thought: z.boolean().optional(), thoughtSignature: base64.optional() }),
  ),
);

const content = z.strictObject({ role: z.literal('model'), parts: z.array(part) });

const modality = z.strictObject({
  modality: z.enum(['TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'DOCUMENT']),
  tokenCount: count,
});
const usageMetadata = z.strictObject({
  promptTokenCount: count,
  candidatesTokenCount: count,
  totalTokenCount: count,
  thoughtsTokenCount: count.optional(),
  cachedContentTokenCount: count.optional(),
  toolUsePromptTokenCount: count.optional(),
  promptTokensDetails: z.array(modality).optional(),
  cacheTokensDetails: z.array(modality).optional(),
  candidatesTokensDetails: z.array(modality).optional(),
});

const chunk = z.union([
  z.strictObject({ web: z.strictObject({ uri: z.string(), title: z.string().optional() }) }),
  z.strictObject({
    retrievedContext: z.strictObject({
      uri: z.string().optional(),
      title: z.string().optional(),
      text: z.string().optional(),
    }),
  }),
]);
const support = z.strictObject({
  segment: z.strictObject({
    partIndex: count.optional(),
    startIndex: count,
    endIndex: count,
    text: z.string(),
  }),
  groundingChunkIndices: z.array(count),
  confidenceScores: z.array(z.number()).optional(),
});
const groundingMetadata = z.strictObject({
  webSearchQueries: z.array(z.string()).optional(),
  groundingChunks: z.array(chunk).optional(),
  groundingSupports: z.array(support).optional(),
});

const token = z.strictObject({ token: z.string(), tokenId: z.int().optional(), logProbability: z.number() });
const logprobsResult = z.strictObject({
  topCandidates: z.array(z.strictObject({ candidates: z.array(token) })),
  chosenCandidates: z.array(token),
});

const FINISH_REASONS = [
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
] as const;

const candidate = z.strictObject({
  content,
  finishReason: z.enum(FINISH_REASONS).optional(),
  finishMessage: z.string().optional(),
  index: count,
  avgLogprobs: z.number().optional(),
  logprobsResult: logprobsResult.optional(),
  groundingMetadata: groundingMetadata.optional(),
});

export const geminiAnswer = z.strictObject({
  candidates: z.array(candidate).min(1),
  usageMetadata,
  modelVersion: z.string().min(1),
  responseId: z.string().min(1),
});

export const geminiError = z.strictObject({
  error: z.strictObject({
    code: z.int().min(400).max(599),
    message: z.string().min(1),
    status: z.enum([
      'INVALID_ARGUMENT',
      'FAILED_PRECONDITION',
      'UNAUTHENTICATED',
      'PERMISSION_DENIED',
      'NOT_FOUND',
      'ABORTED',
      'RESOURCE_EXHAUSTED',
      'CANCELLED',
      'INTERNAL',
      'UNIMPLEMENTED',
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
    ]),
    details: z.array(z.looseObject({ '@type': z.string().startsWith('type.googleapis.com/') })).optional(),
  }),
});

const values = z.strictObject({ values: z.array(z.number()).min(1) });
const embeddingUsage = z
  .strictObject({ promptTokenCount: count, promptTokensDetails: z.array(modality).optional() })
  .optional();

const model = z.strictObject({
  name: z.string().startsWith('models/'),
  version: z.string(),
  displayName: z.string(),
  description: z.string().optional(),
  inputTokenLimit: count.optional(),
  outputTokenLimit: count.optional(),
  supportedGenerationMethods: z.array(z.string()),
});

const SCHEMAS = {
  answer: geminiAnswer,
  error: geminiError,
  count: z.strictObject({ totalTokens: count, promptTokensDetails: z.array(modality).optional() }),
  embedding: z.strictObject({ embedding: values, usageMetadata: embeddingUsage }),
  embeddings: z.strictObject({ embeddings: z.array(values).min(1), usageMetadata: embeddingUsage }),
  model,
  models: z.strictObject({ models: z.array(model), nextPageToken: z.string().optional() }),
} as const;

/** The problems of a body that the proxy made. */
export function geminiProblems(name: keyof typeof SCHEMAS, value: unknown): string[] {
  return publishedProblems(SCHEMAS[name], value).map((problem) => `${name}: ${problem}`);
}
