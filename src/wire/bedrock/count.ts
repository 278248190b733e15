import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { countOf } from '../json.ts';
import { encodeConverseRequest } from './request.ts';

/** What of a Converse request is counted; `additionalModelRequestFields` is, since thinking adds to the prompt. */
const COUNTED = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields'] as const;
const REGIONS = /^(?:us|us-gov|eu|apac|jp|au|ca|global)\.(?=[^.]+\.)/;

/**
 * Asks how many tokens a request has: the body for `/model/{model}/count-tokens`, free of charge.
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

/** Tokens of the prompt. @throws ProxyError `malformed` */
export function decodeConverseCount(answer: JsonObject): number {
  const count = countOf(answer.inputTokens);
  if (count === undefined) throw new ProxyError('malformed', 'Cannot read the answer: it counts no tokens');
  return count;
}

/** The model of an inference profile across regions: only models are counted for. `us.a.b` is `a.b`. */
export function countedModel(name: string): string {
  return name.replace(REGIONS, '');
}
