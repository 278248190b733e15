/** Google's Gemini API. @see https://ai.google.dev/api/generate-content */
import type { Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments, frame } from '../upstream.ts';

type Part = JsonObject & {
  text?: string;
  functionCall?: { name: string };
  functionResponse?: { name: string; response: JsonObject };
  thoughtSignature?: string;
};
interface Content {
  readonly role: string;
  readonly parts: Part[];
}

const FIELDS = new Set(
  'contents systemInstruction tools toolConfig generationConfig safetySettings'.split(' '),
);
const CONFIG = new Set(
  'maxOutputTokens temperature topP topK candidateCount stopSequences seed presencePenalty frequencyPenalty responseLogprobs logprobs responseModalities thinkingConfig responseMimeType responseSchema responseJsonSchema'.split(
    ' ',
  ),
);
const DATA = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];

const usageMetadata = {
  promptTokenCount: USAGE.fresh + USAGE.cached,
  cachedContentTokenCount: USAGE.cached,
  candidatesTokenCount: USAGE.said,
  thoughtsTokenCount: USAGE.thought,
  totalTokenCount: USAGE.fresh + USAGE.cached + USAGE.said + USAGE.thought,
};

const signatureOf = (turn: number) => `c2lnbmF0dXJlIG9mIA==${turn}`;

export const gemini: Dialect = {
  name: 'gemini',
  model: 'gemini-3-pro-preview',
  type: 'gemini',
  base: '/v1beta',

  other({ path, body }) {
    const method = path.split(':')[1];
    if (method === 'batchEmbedContents') {
      return { embeddings: (body.requests as JsonObject[]).map(() => ({ values: [0.25, -0.5, 1] })) };
    }
    return method === 'countTokens' ? { totalTokens: 77 } : undefined;
  },

  hear({ path, headers, body }: Asked) {
    const method = new RegExp(
      `^/v1beta/models/${gemini.model}[\\w-]*:(generateContent|streamGenerateContent\\?alt=sse)$`,
    ).exec(path)?.[1];
    demand(method, `nothing is at ${path}`);
    demand(headers.get('x-goog-api-key') === 'key-of-gemini', 'the key is missing');
    const config = (body.generationConfig ?? {}) as JsonObject;
    const unknown = [
      ...Object.keys(body).filter((field) => !FIELDS.has(field)),
      ...Object.keys(config).filter((field) => !CONFIG.has(field)),
    ];
    demand(unknown.length === 0, `Unknown name ${unknown.join()}: Cannot find field.`);
    const contents = body.contents as Content[];
    const results = hearContents(contents);
    // Others than functions are run by the provider, such as `{ "googleSearch": {} }`.
    const declared = ((body.tools ?? []) as { functionDeclarations?: JsonObject[] }[]).flatMap(
      ({ functionDeclarations = [] }) => functionDeclarations,
    );
    demand(
      declared.every(({ name }) => /^[a-zA-Z_][\w.:-]{0,127}$/.test(String(name))),
      'a function has no name',
    );
    const said = contents.filter(({ role }) => role === 'user').flatMap(({ parts }) => parts);
    const pictures = said.filter((part) => part.inlineData).map(({ inlineData }) => inlineData as JsonObject);
    demand(
      pictures.every(({ mimeType }) => mimeType === 'image/png'),
      'mimeType is wrong',
    );
    const schema = (config.responseJsonSchema ?? config.responseSchema) as JsonObject | undefined;
    demand(!schema || config.responseMimeType === 'application/json', 'a schema needs responseMimeType');
    const calling = (body.toolConfig as { functionCallingConfig?: JsonObject })?.functionCallingConfig;
    const thinking = (config.thinkingConfig ?? {}) as JsonObject;
    return {
      scene: sceneOf(said.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks: thinking.includeThoughts === true,
      stream: method !== 'generateContent',
      schema: schema && Object.keys(schema.properties as JsonObject),
      must: forcedOf(
        calling?.mode === 'ANY',
        declared.map(({ name, parametersJsonSchema }) => [name, parametersJsonSchema]),
      ),
      pictures: pictures.map(({ data }) => String(data)),
      tools: declared.map(({ name }) => String(name)),
    };
  },

  whole: (said, turn) => answer(partsOf(said, turn), 'STOP'),

  events(said, turn) {
    const parts = partsOf(said, turn).flatMap((part) =>
      part.text === undefined ? [part] : fragments(part.text, 9).map((text) => ({ ...part, text })),
    );
    return [
      ...parts.map((part) => frame(answer([part]))),
      frame(answer([{ text: '', thoughtSignature: signatureOf(turn) }], 'STOP')),
    ];
  },

  begun: () => ({
    head: [],
    piece: frame(answer([{ text: PIECE }])),
    broken: frame({ error: { code: 503, message: BREAKAGE, status: 'UNAVAILABLE' } }),
  }),

  error: (status, message) => ({
    error: {
      code: status,
      message,
      status: status === 429 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT',
    },
  }),
};

/**
 * The user must begin. Calls must be returned with their signatures, and the next content must contain their
 * results, by name.
 */
function hearContents(contents: readonly Content[]): string[][] {
  demand(contents?.length > 0, 'contents is not specified');
  demand(contents[0]!.role === 'user', 'a function call turn must come after a user turn');
  const results: string[][] = [];
  contents.forEach(({ role, parts }, index) => {
    demand(role === 'user' || role === 'model', 'Please use a valid role: user, model.');
    demand(role === 'user' || contents[index - 1]!.role === 'user', 'two turns of the model in a row');
    demand(parts.length > 0, 'contents.parts must not be empty');
    for (const part of parts) {
      demand(DATA.filter((kind) => part[kind] !== undefined).length === 1, 'a part needs one of data');
    }
    const calls = parts.filter((part) => part.functionCall);
    const given = (contents[index - 1]?.parts ?? []).filter((part) => part.functionCall);
    const answers = parts.filter((part) => part.functionResponse);
    demand(answers.length === given.length, 'function response parts must equal function call parts');
    const turn = results.length;
    if (calls.length > 0) {
      demand(
        calls[0]!.thoughtSignature === signatureOf(turn),
        `Function call is missing a thought_signature: it came back as ${String(calls[0]!.thoughtSignature)}`,
      );
    }
    if (answers.length > 0) {
      results.push(
        answers.map(({ functionResponse: found }, at) => {
          demand(found!.name === given[at]!.functionCall!.name, 'responses are out of order');
          const { result, output, content } = found!.response;
          return String(result ?? output ?? content);
        }),
      );
    }
  });
  return results;
}

function partsOf({ reasoning, text, calls = [] }: Said, turn: number): Part[] {
  return [
    ...(reasoning === undefined ? [] : [{ text: reasoning, thought: true }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ name, input }, at) => ({
      functionCall: { name, args: input },
      // Of parallel calls, only the first has a signature.
      ...(at === 0 ? { thoughtSignature: signatureOf(turn) } : {}),
    })),
  ];
}

function answer(parts: readonly Part[], finishReason?: string): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason ? { finishReason } : {}) }],
    usageMetadata,
    modelVersion: gemini.model,
    responseId: 'scripted',
  };
}
