/**
 * Ollama's published shape of its answers, checked strictly: unknown fields are not allowed, and all counts and
 * durations are there at the end.
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 * @see https://github.com/ollama/ollama/blob/main/api/types.go
 */
import { z } from 'zod';
import { publishedProblems } from './problems.ts';

const count = z.int().min(0);
const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const time = z.iso.datetime({ offset: true });
const token = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).optional() };

const call = z.strictObject({
  id: z.string().optional(),
  function: z.strictObject({
    index: count,
    name: z.string().min(1),
    arguments: z.record(z.string(), z.unknown()),
  }),
});
const said = {
  thinking: z.string().optional(),
  images: z.array(base64).optional(),
  tool_calls: z.array(call).min(1).optional(),
};
const message = z.strictObject({ role: z.literal('assistant'), content: z.string(), ...said });

const common = { model: z.string().min(1), created_at: time };
const logprobs = z
  .array(z.strictObject({ ...token, top_logprobs: z.array(z.strictObject(token)).optional() }))
  .optional();
const ended = {
  done: z.literal(true),
  done_reason: z.string().min(1),
  total_duration: count,
  load_duration: count,
  prompt_eval_count: count,
  prompt_eval_duration: count,
  eval_count: count,
  eval_duration: count.min(1),
};
/** The answer to a request that only loads or unloads a model. */
const loaded = { done: z.literal(true), done_reason: z.enum(['load', 'unload']) };
const going = { done: z.literal(false) };

const SCHEMAS = {
  chat: z.union([
    z.strictObject({ ...common, message, logprobs, ...ended }),
    z.strictObject({ ...common, message, ...loaded }),
  ]),
  chatPiece: z.strictObject({ ...common, message, logprobs, ...going }),
  generate: z.union([
    z.strictObject({ ...common, response: z.string(), ...said, logprobs, ...ended }),
    z.strictObject({ ...common, response: z.literal(''), ...loaded }),
  ]),
  generatePiece: z.strictObject({ ...common, response: z.string(), ...said, logprobs, ...going }),
  error: z.strictObject({ error: z.string().min(1) }),
  embed: z.strictObject({
    model: z.string().min(1),
    embeddings: z.array(z.array(z.number()).min(1)),
    total_duration: count,
    load_duration: count,
    prompt_eval_count: count,
  }),
  embeddings: z.strictObject({ embedding: z.array(z.number()) }),
  tags: z.strictObject({
    models: z.array(
      z.strictObject({
        name: z.string().min(1),
        model: z.string().min(1),
        modified_at: time,
        size: count,
        digest: z.string().regex(/^[0-9a-f]{64}$/),
        details: z.strictObject({
          parent_model: z.string(),
          format: z.string(),
          family: z.string(),
          families: z.array(z.string()),
          parameter_size: z.string(),
          quantization_level: z.string(),
        }),
      }),
    ),
  }),
} as const;

export const ollamaChatAnswer = SCHEMAS.chat;

/** The problems of a body that the proxy made, or of a line of a stream. */
export function ollamaProblems(name: keyof typeof SCHEMAS, value: unknown): string[] {
  return publishedProblems(SCHEMAS[name], value).map((problem) => `${name}: ${problem}`);
}

/** The problems of the lines of a stream that the proxy made. */
export function ollamaLineProblems(kind: 'chat' | 'generate', lines: readonly unknown[]): string[] {
  return lines.flatMap((line, at) => {
    if (at < lines.length - 1) return ollamaProblems(`${kind}Piece`, line);
    const isError = typeof line === 'object' && line !== null && 'error' in line;
    return ollamaProblems(isError ? 'error' : kind, line);
  });
}
