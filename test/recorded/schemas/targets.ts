/**
 * Requests as the vendors' references describe them, checked strictly: an unknown field is a problem. For chat and
 * Responses, OpenAI's own document is used.
 */
import type { Api } from '../read/exchange.ts';
import { z } from 'zod';
import { openapiProblems } from '../../helpers/openapi.ts';
import { isClosed } from './closed.ts';

const any = z.unknown();
const OPEN = 'expected a schema within the subset of strict tools and structured output';
const object = z.record(z.string(), z.unknown());
const base64 = z.base64();
const cache = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() });
const cached = { cache_control: cache.nullable().optional() };

// Anthropic's Messages. Texts may not be empty, and a request may not begin or end with white space only.
const someText = z.string().regex(/\S/, 'expected more than white space');
const messagesMedium = z.strictObject({
  type: z.enum(['image', 'document']),
  source: z.union([
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.string().regex(/^\w+\/[\w.+-]+$/),
      data: base64,
    }),
    z.strictObject({ type: z.literal('url'), url: z.url() }),
    z.strictObject({ type: z.literal('file'), file_id: z.string() }),
    z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
    z.looseObject({ type: z.literal('content') }),
  ]),
  title: z.string().nullable().optional(),
  context: z.string().nullable().optional(),
  citations: object.nullable().optional(),
  ...cached,
});
const messagesText = z.strictObject({
  type: z.literal('text'),
  text: someText,
  citations: z.array(any).nullable().optional(),
  ...cached,
});
const toolId = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const messagesBlock = z.union([
  messagesText,
  messagesMedium,
  z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().min(1) }),
  z.strictObject({ type: z.literal('redacted_thinking'), data: z.string().min(1) }),
  z.strictObject({
    type: z.literal('tool_use'),
    id: toolId,
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
    input: object,
    caller: any.optional(),
    ...cached,
  }),
  z.strictObject({
    type: z.literal('tool_result'),
    tool_use_id: toolId,
    content: z
      .union([
        z.string(),
        z.array(
          z.union([messagesText, messagesMedium, z.looseObject({ type: z.literal('tool_reference') })]),
        ),
      ])
      .optional(),
    is_error: z.boolean().optional(),
    ...cached,
  }),
  z.looseObject({
    type: z.string().regex(/^server_tool_use$|^mcp_tool_|._tool_result$|^search_result$|^compaction$/),
  }),
]);
const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);
const messages = z.strictObject({
  model: z.string().min(1).optional(),
  anthropic_version: z.string().optional(),
  max_tokens: z.int().min(1),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([someText, z.array(messagesBlock).min(1)]),
      }),
    )
    .min(1),
  system: z.union([someText, z.array(messagesText).min(1)]).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(someText).optional(),
  stream: z.boolean().optional(),
  tools: z
    .array(
      z.union([
        z
          .strictObject({
            type: z.literal('custom').optional(),
            name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
            description: z.string().optional(),
            input_schema: z.looseObject({ type: z.literal('object') }),
            strict: z.boolean().optional(),
            defer_loading: z.boolean().optional(),
            ...cached,
          })
          .refine(({ strict, input_schema }) => strict !== true || isClosed(input_schema), OPEN),
        z.looseObject({ type: z.string().regex(/_\d{8}$/), name: z.string() }),
      ]),
    )
    .optional(),
  tool_choice: z
    .union([
      z.strictObject({ type: z.enum(['auto', 'any']), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({
        type: z.literal('tool'),
        name: z.string(),
        disable_parallel_tool_use: z.boolean().optional(),
      }),
      z.strictObject({ type: z.literal('none') }),
    ])
    .optional(),
  thinking: z
    .union([
      z.strictObject({
        type: z.literal('enabled'),
        budget_tokens: z.int().min(1_024),
        display: z.enum(['summarized', 'omitted']).optional(),
      }),
      z.strictObject({
        type: z.enum(['adaptive', 'disabled']),
        display: z.enum(['summarized', 'omitted']).optional(),
      }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: effort.optional(),
      format: z
        .strictObject({ type: z.literal('json_schema'), schema: object.refine(isClosed, OPEN) })
        .optional(),
    })
    .optional(),
  metadata: z.strictObject({ user_id: z.string().max(256) }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  cache_control: cache.optional(),
});

// Gemini.
const geminiPart = z.strictObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  inlineData: z.strictObject({ mimeType: z.string().regex(/^\w+\/[\w.+-]+$/), data: base64 }).optional(),
  fileData: z.strictObject({ mimeType: z.string().optional(), fileUri: z.string() }).optional(),
  functionCall: z
    .strictObject({ id: z.string().optional(), name: z.string(), args: object.optional() })
    .optional(),
  functionResponse: z
    .strictObject({
      id: z.string().optional(),
      name: z.string().min(1),
      response: object,
      parts: z.array(any).optional(),
    })
    .optional(),
});
const gemini = z.strictObject({
  contents: z
    .array(z.strictObject({ role: z.enum(['user', 'model']), parts: z.array(geminiPart).min(1) }))
    .min(1),
  systemInstruction: z
    .strictObject({
      role: z.string().optional(),
      parts: z.array(z.strictObject({ text: z.string() })).min(1),
    })
    .optional(),
  generationConfig: z
    .strictObject({
      maxOutputTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().optional(),
      topK: z.number().optional(),
      candidateCount: z.int().min(1).max(8).optional(),
      stopSequences: z.array(z.string()).max(5).optional(),
      seed: z.int().optional(),
      presencePenalty: z.number().optional(),
      frequencyPenalty: z.number().optional(),
      responseMimeType: z.string().optional(),
      responseSchema: object.optional(),
      responseJsonSchema: object.optional(),
      responseLogprobs: z.boolean().optional(),
      logprobs: z.int().min(0).max(20).optional(),
      responseModalities: z.array(z.enum(['TEXT', 'IMAGE', 'AUDIO'])).optional(),
      speechConfig: object.optional(),
      thinkingConfig: z
        .strictObject({
          includeThoughts: z.boolean().optional(),
          thinkingBudget: z.int().optional(),
          thinkingLevel: z
            .enum(['MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'minimal', 'low', 'medium', 'high'])
            .optional(),
        })
        .optional(),
      mediaResolution: z.string().optional(),
    })
    .optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z
          .array(
            z.strictObject({
              name: z.string().regex(/^[a-zA-Z_][\w.:-]{0,127}$/),
              description: z.string().optional(),
              parameters: object.optional(),
              parametersJsonSchema: object.optional(),
            }),
          )
          .min(1)
          .optional(),
        googleSearch: object.optional(),
        codeExecution: object.optional(),
        urlContext: object.optional(),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z.strictObject({
        mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']),
        allowedFunctionNames: z.array(z.string()).min(1).optional(),
      }),
    })
    .optional(),
  safetySettings: z.array(any).optional(),
  cachedContent: z.string().optional(),
  labels: object.optional(),
  serviceTier: z.string().optional(),
});

// Bedrock's Converse.
const source = z.union([
  z.strictObject({ bytes: base64 }),
  z.strictObject({ s3Location: z.strictObject({ uri: z.string(), bucketOwner: z.string().optional() }) }),
  z.strictObject({ text: z.string() }),
]);
const image = z.strictObject({ format: z.enum(['png', 'jpeg', 'gif', 'webp']), source });
const document = z.strictObject({
  format: z.enum(['pdf', 'csv', 'doc', 'docx', 'xls', 'xlsx', 'html', 'txt', 'md']),
  name: z.string().regex(/^[a-zA-Z0-9 ()[\]-]{1,200}$/),
  source,
  citations: object.optional(),
  context: z.string().optional(),
});
const toolUseId = z.string().regex(/^[a-zA-Z0-9_.:-]{1,64}$/);
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const cachePoint = z.strictObject({
  cachePoint: z.strictObject({ type: z.literal('default'), ttl: z.string().optional() }),
});
const converseBlock = z.union([
  z.strictObject({ text: someText }),
  z.strictObject({ image }),
  z.strictObject({ document }),
  z.strictObject({ audio: object }),
  z.strictObject({ video: object }),
  z.strictObject({ toolUse: z.strictObject({ toolUseId, name: toolName, input: any }) }),
  z.strictObject({
    toolResult: z.strictObject({
      toolUseId,
      content: z.array(
        z.union([
          z.strictObject({ text: z.string() }),
          z.strictObject({ json: object }),
          z.strictObject({ image }),
          z.strictObject({ document }),
        ]),
      ),
      status: z.enum(['success', 'error']).optional(),
    }),
  }),
  z.strictObject({
    reasoningContent: z.union([
      z.strictObject({
        reasoningText: z.strictObject({ text: z.string(), signature: z.string().optional() }),
      }),
      z.strictObject({ redactedContent: z.string() }),
    ]),
  }),
  cachePoint,
]);
const converse = z.strictObject({
  messages: z
    .array(z.strictObject({ role: z.enum(['user', 'assistant']), content: z.array(converseBlock).min(1) }))
    .min(1)
    .refine(([first]) => first?.role === 'user', 'expected the user to begin'),
  system: z.array(z.union([z.strictObject({ text: someText }), cachePoint])).optional(),
  inferenceConfig: z
    .strictObject({
      maxTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(1).optional(),
      topP: z.number().min(0).max(1).optional(),
      stopSequences: z.array(z.string().min(1)).optional(),
    })
    .optional(),
  toolConfig: z
    .strictObject({
      tools: z
        .array(
          z.union([
            z.strictObject({
              toolSpec: z.strictObject({
                name: toolName,
                description: z.string().min(1).optional(),
                inputSchema: z.strictObject({ json: z.looseObject({ type: z.literal('object') }) }),
                strict: z.boolean().optional(),
              }),
            }),
            z.strictObject({ systemTool: z.strictObject({ name: z.string() }) }),
            cachePoint,
          ]),
        )
        .min(1),
      toolChoice: z
        .union([
          z.strictObject({ auto: z.strictObject({}) }),
          z.strictObject({ any: z.strictObject({}) }),
          z.strictObject({ tool: z.strictObject({ name: toolName }) }),
        ])
        .optional(),
    })
    .optional(),
  additionalModelRequestFields: object.optional(),
  additionalModelResponseFieldPaths: z.array(z.string()).optional(),
  guardrailConfig: object.optional(),
  performanceConfig: object.optional(),
  serviceTier: z.strictObject({ type: z.string() }).optional(),
  requestMetadata: z.record(z.string(), z.string()).optional(),
  outputConfig: object.optional(),
});

// Cohere's v2 chat.
const cohereText = z.union([
  z.string(),
  z.array(
    z.union([
      z.strictObject({ type: z.literal('text'), text: z.string() }),
      z.strictObject({ type: z.literal('thinking'), thinking: z.string() }),
      z.strictObject({
        type: z.literal('image_url'),
        image_url: z.strictObject({ url: z.string(), detail: z.string().optional() }),
      }),
      z.strictObject({ type: z.literal('document'), document: object }),
    ]),
  ),
]);
const cohereCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});
const cohere = z.strictObject({
  model: z.string(),
  messages: z
    .array(
      z.discriminatedUnion('role', [
        z.strictObject({ role: z.literal('system'), content: cohereText }),
        z.strictObject({ role: z.literal('user'), content: cohereText }),
        z.strictObject({
          role: z.literal('assistant'),
          content: cohereText.optional(),
          tool_plan: z.string().optional(),
          tool_calls: z.array(cohereCall).optional(),
          citations: z.array(any).optional(),
        }),
        z.strictObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: cohereText }),
      ]),
    )
    .min(1),
  stream: z.boolean().optional(),
  max_tokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(1).optional(),
  p: z.number().min(0.01).max(0.99).optional(),
  k: z.number().min(0).max(500).optional(),
  seed: z.int().optional(),
  stop_sequences: z.array(z.string()).max(5).optional(),
  frequency_penalty: z.number().min(0).max(1).optional(),
  presence_penalty: z.number().min(0).max(1).optional(),
  logprobs: z.boolean().optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string(),
          description: z.string().optional(),
          parameters: object.optional(),
        }),
      }),
    )
    .optional(),
  strict_tools: z.boolean().optional(),
  tool_choice: z.enum(['REQUIRED', 'NONE']).optional(),
  response_format: z
    .strictObject({ type: z.enum(['text', 'json_object']), json_schema: object.optional() })
    .optional(),
  thinking: z
    .strictObject({ type: z.enum(['enabled', 'disabled']), token_budget: z.int().min(1).optional() })
    .optional(),
  documents: z.array(any).optional(),
  safety_mode: z.string().optional(),
  priority: z.int().optional(),
  citation_options: object.optional(),
});

const SCHEMAS = { messages, gemini, converse, cohere } as const;

/**
 * The problems of a request according to its API's reference; for chat and Responses only if OpenAI's document is
 * available.
 */
export function targetProblems(api: Api, body: unknown): string[] {
  if (api === 'chat') return openapiProblems('CreateChatCompletionRequest', body);
  if (api === 'responses') return openapiProblems('CreateResponse', body);
  const { error } = SCHEMAS[api].safeParse(body);
  return (error?.issues ?? []).map(({ path, message }) => `${api} ${path.join('.')}: ${message}`);
}
