import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ProtocolName } from '../../wire/protocol.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Usage } from '../../wire/usage.ts';
import { anthropicUsage } from '../../wire/anthropic/usage.ts';
import { converseUsage } from '../../wire/bedrock/response.ts';
import { cohereUsage } from '../../wire/cohere/response.ts';
import { contentUsage } from '../../wire/gemini/groundings.ts';
import { wholeInteractionUsage } from '../../wire/interactions/usage.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { ollamaUsage } from '../../wire/ollama/response.ts';
import { answerUsage } from '../../wire/openai/response.ts';
import { responseUsage } from '../../wire/responses/response.ts';

/** A longer answer is not parsed a second time for its usage, characters. */
const MAX_READ = 1024 * 1024;

/** Where each protocol reports the usage; the others do as chat does. */
const PLACES: Readonly<Partial<Record<ProtocolName | Endpoint, (answer: JsonObject) => Usage | undefined>>> =
  {
    messages: ({ usage }) => anthropicUsage(usage),
    responses: responseUsage,
    'gemini.interactions': wholeInteractionUsage,
    'ollama.chat': ollamaUsage,
    'ollama.generate': ollamaUsage,
    gemini: contentUsage,
    converse: converseUsage,
    cohere: ({ usage }) => cohereUsage(usage),
  };

/**
 * The usage reported in a whole answer that cannot be used.
 * @param protocol the protocol that it is in, or the endpoint if it is the client's
 */
export function reportedUsageIn(
  text: string,
  protocol: ProtocolName | Endpoint,
  quirks: Quirks,
): Usage | undefined {
  const parsed = text.length > MAX_READ ? undefined : parseJson(text);
  const answer: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(answer)) return undefined;
  const read = PLACES[protocol];
  return read ? read(answer) : answerUsage(answer, quirks);
}
