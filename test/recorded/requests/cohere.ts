import type { Json } from '../read/json.ts';
import type { Asking } from './asking.ts';
import { objectOf, objectsOf } from '../read/json.ts';
import { given } from './asking.ts';
import { chatAsking } from './chat.ts';

/** Reads a request of Cohere's v2 chat: similar to OpenAI's, with different names for the parameters. */
export function cohereAsking(body: Json): Asking {
  const { type, json_schema: schema } = objectOf(body.response_format);
  const choice = { REQUIRED: 'required', NONE: 'none' }[String(body.tool_choice)];
  return {
    ...chatAsking({ messages: objectsOf(body.messages).map(planned), tools: body.tools }),
    choice,
    parameters: given({
      max: body.max_tokens,
      temperature: body.temperature,
      topP: body.p,
      topK: body.k,
      stop: body.stop_sequences,
      seed: body.seed,
      presence: body.presence_penalty,
      frequency: body.frequency_penalty,
      logprobs: body.logprobs,
      effort: body.thinking,
      format: type === 'json_object' ? (schema ?? type) : undefined,
    }),
  };
}

/** The tool plan counts as text before the calls. */
function planned(message: Json): Json {
  const { tool_plan: plan, ...rest } = message;
  return plan === undefined ? message : { ...rest, content: message.content ?? plan };
}
