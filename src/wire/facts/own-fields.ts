/**
 * Fields of a provider's own API that chat lacks, such as Gemini's `safetySettings`. Clients of chat put them beside
 * chat's fields, as with `extra_body` of OpenAI's SDKs. The API that they belong to receives them as they came.
 */
import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ProtocolName } from '../protocol.ts';
import { isObject, objectOf } from '../json.ts';

/** For each protocol, the paths of its fields in the body, by their names in snake case. */
const PATHS: Readonly<Partial<Record<ProtocolName, Readonly<Record<string, string>>>>> = {
  // https://docs.anthropic.com/en/api/messages
  messages: {
    container: 'container',
    context_management: 'context_management',
    inference_geo: 'inference_geo',
  },
  // https://ai.google.dev/api/generate-content
  gemini: {
    safety_settings: 'safetySettings',
    cached_content: 'cachedContent',
    labels: 'labels',
    image_config: 'generationConfig.imageConfig',
    media_resolution: 'generationConfig.mediaResolution',
    speech_config: 'generationConfig.speechConfig',
    thinking_config: 'generationConfig.thinkingConfig',
  },
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
  converse: {
    guardrail_config: 'guardrailConfig',
    performance_config: 'performanceConfig',
    request_metadata: 'requestMetadata',
    additional_model_request_fields: 'additionalModelRequestFields',
    additional_model_response_field_paths: 'additionalModelResponseFieldPaths',
  },
  // https://docs.cohere.com/reference/chat
  cohere: {
    documents: 'documents',
    citation_options: 'citation_options',
    safety_mode: 'safety_mode',
    priority: 'priority',
  },
};

interface OwnField {
  readonly name: string;
  readonly path: readonly string[];
}

/** The same by protocol, with both spellings of each name. */
const FIELDS: ReadonlyMap<ProtocolName, readonly OwnField[]> = new Map(
  Object.entries(PATHS).map(([protocol, paths]) => [
    protocol as ProtocolName,
    Object.entries(paths).flatMap(([snake, path]) =>
      [...new Set([snake, inCamelCase(snake)])].map((name) => ({ name, path: path.split('.') })),
    ),
  ]),
);

/** The objects into which clients of Google's own chat API put such fields: `google`, and `google` in `extra_body`. */
const GOOGLE: ReadonlySet<string> = new Set(['google', 'extra_body']);

/** Whether a field of a chat request belongs to the API of this protocol. */
export function isOwnField(name: string, protocol: ProtocolName): boolean {
  if (protocol === 'gemini' && GOOGLE.has(name)) return true;
  return FIELDS.get(protocol)?.some((field) => field.name === name) ?? false;
}

/** Adds the fields that belong to the API of this protocol. What an encoder has set itself stays. */
export function withOwnFields(body: JsonObject, request: ChatRequest, protocol: ProtocolName): JsonObject {
  const given = protocol === 'gemini' ? { ...googleFields(request), ...request } : request;
  let all = body;
  for (const { name, path } of FIELDS.get(protocol) ?? []) {
    const value = given[name];
    if (value !== undefined && value !== null) all = withField(all, path, value);
  }
  return all;
}

/** @see https://ai.google.dev/gemini-api/docs/openai#extra-body */
function googleFields({ google, extra_body: extra }: ChatRequest): JsonObject {
  return { ...objectOf(objectOf(extra).google), ...objectOf(google) };
}

function withField(body: JsonObject, [name = '', ...rest]: readonly string[], value: unknown): JsonObject {
  const present = body[name];
  if (rest.length > 0) return { ...body, [name]: withField(objectOf(present), rest, value) };
  if (present === undefined) return { ...body, [name]: value };
  return isObject(present) && isObject(value) ? { ...body, [name]: { ...value, ...present } } : body;
}

function inCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
