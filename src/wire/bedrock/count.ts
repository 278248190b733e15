import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { countOf } from '../json.ts';
import { encodeConverseRequest } from './request.ts';

/**
 * The counted fields of a Converse request; `additionalModelRequestFields` is one, since thinking adds to the prompt.
 */
const COUNTED = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields'] as const;
const REGIONS = /^(?:us|us-gov|eu|apac|jp|au|ca|global)\.(?=[^.]+\.)/;

/**
 * Encodes a request to count tokens: the body for `/model/{model}/count-tokens`, which is free of charge.
 * @throws ProxyError as of Converse itself
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export function encodeConverseCount(
  request: ChatRequest,
  context: Pick<EncodeContext, 'model' | 'memory' | 'quirks'>,
): { input: { converse: JsonObject } } {
  const { body } = encodeConverseRequest(request, context);
  const converse = Object.fromEntries(
    COUNTED.flatMap((field) => (body[field] === undefined ? [] : [[field, body[field]]])),
  );
  return { input: { converse } };
}

/** The tokens of the prompt. @throws ProxyError `malformed` */
export function decodeConverseCount(answer: JsonObject): number {
  const count = countOf(answer.inputTokens);
  if (count === undefined)
    throw new ProxyError('malformed', 'Cannot read the answer: it contains no token count');
  return count;
}

/** The model of a cross-region inference profile, since only models can be counted for: `us.a.b` is `a.b`. */
export function countedModel(name: string): string {
  return name.replace(REGIONS, '');
}
