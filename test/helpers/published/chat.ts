/**
 * OpenAI's published shape of a chat answer and its chunks, checked strictly: each field that it always sends must be
 * there, and there must be no others except those that other servers add.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
import { z } from 'zod';

const count = z.int().min(0);
const epoch = z.int().min(0);

const usage = z.strictObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z
    .strictObject({
      cached_tokens: count,
      audio_tokens: count.optional(),
      cache_write_tokens: count.optional(),
    })
    .optional(),
  completion_tokens_details: z
    .strictObject({
      reasoning_tokens: count,
      audio_tokens: count.optional(),
      accepted_prediction_tokens: count.optional(),
      rejected_prediction_tokens: count.optional(),
    })
    .optional(),
});

const likelihood = {
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int().min(0).max(255)).nullable(),
};
const likelihoods = z.array(
  z.strictObject({ ...likelihood, top_logprobs: z.array(z.strictObject(likelihood)) }),
);
const logprobs = z.strictObject({ content: likelihoods.nullable(), refusal: likelihoods.nullable() });

const finish = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);

const annotation = z.strictObject({
  type: z.literal('url_citation'),
  url_citation: z.strictObject({
    url: z.string(),
    title: z.string(),
    start_index: count,
    end_index: count,
  }),
});

/** Fields that OpenAI's own chat does not have: those of DeepSeek, LiteLLM, Google and OpenRouter. */
const added = {
  reasoning_content: z.string().optional(),
  thinking_blocks: z.array(z.looseObject({ type: z.string() })).optional(),
  reasoning_details: z.array(z.looseObject({ type: z.string() })).optional(),
  extra_content: z.looseObject({}).optional(),
  images: z.array(z.looseObject({ type: z.literal('image_url') })).optional(),
};

const sound = z.looseObject({ data: z.string().optional(), transcript: z.string().optional() });

const call = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
  extra_content: z.looseObject({}).optional(),
});

const message = z.strictObject({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  refusal: z.string().nullable(),
  annotations: z.array(annotation),
  tool_calls: z.array(call).min(1).optional(),
  function_call: z.strictObject({ name: z.string(), arguments: z.string() }).optional(),
  audio: sound.optional(),
  ...added,
});

const id = z.string().regex(/^chatcmpl-./);
const tier = z.string().nullable().optional();

export const completion = z.strictObject({
  id,
  object: z.literal('chat.completion'),
  created: epoch,
  model: z.string(),
  choices: z
    .array(
      z.strictObject({
        index: count,
        message,
        logprobs: logprobs.nullable(),
        finish_reason: finish,
        // vLLM's field: the stop sequence that ended the answer.
        stop_reason: z.string().nullable().optional(),
      }),
    )
    .min(1),
  usage: usage.optional(),
  service_tier: tier,
  system_fingerprint: z.string().nullable().optional(),
});

const delta = z.strictObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullable().optional(),
  refusal: z.string().nullable().optional(),
  annotations: z.array(annotation).optional(),
  tool_calls: z
    .array(
      z.strictObject({
        index: count,
        id: z.string().min(1).optional(),
        type: z.literal('function').optional(),
        function: z
          .strictObject({ name: z.string().min(1).optional(), arguments: z.string().optional() })
          .optional(),
        extra_content: z.looseObject({}).optional(),
      }),
    )
    .min(1)
    .optional(),
  function_call: z.strictObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
  audio: sound.optional(),
  ...added,
});

export const chunk = z.strictObject({
  id,
  object: z.literal('chat.completion.chunk'),
  created: epoch,
  model: z.string(),
  choices: z.array(
    z.strictObject({
      index: count,
      delta,
      logprobs: logprobs.nullable().optional(),
      finish_reason: finish.nullable(),
      stop_reason: z.string().nullable().optional(),
    }),
  ),
  usage: usage.nullable().optional(),
  service_tier: tier,
  system_fingerprint: z.string().nullable().optional(),
});

/** An error of chat and of the Responses API. */
export const openaiError = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string().min(1),
    param: z.string().nullable(),
    code: z.string().nullable(),
    // Our own fields: the id of the request in the log, and the targets that were tried.
    request_id: z.string().optional(),
    details: z.array(z.looseObject({ target: z.string() })).optional(),
  }),
});
