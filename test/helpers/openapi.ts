/** OpenAI's own OpenAPI document, if it is available: bodies, chunks and events are checked against it. */
import type { ValidateFunction } from 'ajv';
import Ajv from 'ajv/dist/2020';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/wire/json.ts';

/** The path of the document. */
export const OPENAPI_PATH =
  process.env.LLMPROXY_SPEC ?? join(import.meta.dir, '../../../shared/spec/openai-openapi.json');

/** Whether the document is available; tests that need it are skipped otherwise. */
export const hasOpenapi = existsSync(OPENAPI_PATH);

/** Schemas that the tests check values against. */
export type SchemaName =
  | 'CreateChatCompletionRequest'
  | 'CreateChatCompletionResponse'
  | 'CreateChatCompletionStreamResponse'
  | 'CreateCompletionResponse'
  | 'CreateEmbeddingResponse'
  | 'CreateResponse'
  | 'ErrorResponse'
  | 'ListModelsResponse'
  | 'Response'
  | 'ResponseStreamEvent';

interface Document {
  readonly components: { readonly schemas: Record<string, unknown> };
}

let ajv: Ajv | undefined;
const compiled = new Map<SchemaName, ValidateFunction>();

/** The problems of a value according to OpenAI's document; none if the document is missing. */
export function openapiProblems(name: SchemaName, value: unknown): string[] {
  if (!hasOpenapi) return [];
  let validate = compiled.get(name);
  if (!validate) {
    ajv ??= load();
    validate = ajv.compile({ $ref: `oai#/components/schemas/${name}` });
    compiled.set(name, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
}

function load(): Ajv {
  const document = nullable(JSON.parse(readFileSync(OPENAPI_PATH, 'utf8'))) as unknown as Document;
  const loaded = new Ajv({ strict: false, validateFormats: false, allErrors: false });
  const { ResponseUsage: usage, ...others } = document.components.schemas;
  // OpenAI's streams contain `"usage": null` in an incomplete response, which the document does not allow.
  const schemas = { ...others, ResponseUsage: { anyOf: [usage, { type: 'null' }] } };
  loaded.addSchema({ $id: 'oai', ...document, components: { ...document.components, schemas } });
  return loaded;
}

/**
 * Translates `nullable: true` of OpenAPI 3.0 into a "null" type of JSON Schema. The members of its `oneOf` overlap, so
 * that its own examples match more than one: any match counts.
 */
function nullable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(nullable);
  if (typeof node !== 'object' || node === null) return node;
  const copy: JsonObject = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key === 'oneOf' ? 'anyOf' : key, nullable(value)]),
  );
  if (copy.nullable !== true) return copy;
  const { nullable: _, ...rest } = copy;
  if (typeof rest.type === 'string') {
    const words = Array.isArray(rest.enum) ? { enum: [...(rest.enum as unknown[]), null] } : {};
    return { ...rest, ...words, type: [rest.type, 'null'] };
  }
  return { anyOf: [rest, { type: 'null' }] };
}
