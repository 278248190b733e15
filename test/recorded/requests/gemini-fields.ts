/** The fields of a Gemini request that `geminiAsking()` does not read: other providers must report them as left out. */
import type { Json } from '../read/json.ts';
import { isObject, objectOf, objectsOf } from '../read/json.ts';
import { camelCase, field } from './gemini.ts';

/** The fields that are read, by the object that contains them. */
const READ = {
  request:
    'model stream contents systemInstruction tools toolConfig generationConfig serviceTier cachedContent',
  config:
    'temperature topP topK candidateCount maxOutputTokens stopSequences seed presencePenalty frequencyPenalty responseMimeType responseSchema responseJsonSchema responseLogprobs logprobs responseModalities thinkingConfig',
  thinking: 'includeThoughts thinkingBudget thinkingLevel',
  choice: 'functionCallingConfig',
  calling: 'mode allowedFunctionNames',
  declaration: 'name description parameters parametersJsonSchema',
  // Excluded sites are an option of other vendors' searches too.
  hosted: 'excludeDomains',
  part: 'text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode codeExecutionResult',
  medium: 'mimeType data fileUri displayName',
  result: 'id name response parts',
  call: 'id name args',
} as const;

/** Their names, as spelled in the reference; options of a tool are prefixed with the tool. */
export function unreadFields(body: Json): string[] {
  const config = field(body, 'generationConfig');
  const choice = field(body, 'toolConfig');
  const tools = objectsOf(body.tools);
  const parts = objectsOf(body.contents).flatMap(({ parts: list }) => objectsOf(list));
  const results = parts.map((part) => field(part, 'functionResponse'));
  const media = [...parts, ...results.flatMap((result) => objectsOf(objectOf(result).parts))];
  return [
    ...others('request', body),
    ...others('config', config),
    ...others('thinking', field(config, 'thinkingConfig')),
    ...others('choice', choice),
    ...others('calling', field(choice, 'functionCallingConfig')),
    ...tools.flatMap((tool) =>
      Object.entries(tool).flatMap(([name, options]) =>
        others('hosted', options).map((option) => `tools.${camelCase(name)}.${option}`),
      ),
    ),
    ...tools.flatMap((tool) =>
      objectsOf(field(tool, 'functionDeclarations')).flatMap((each) => others('declaration', each)),
    ),
    ...parts.flatMap((part) => others('part', part)),
    ...parts.flatMap((part) => others('call', field(part, 'functionCall'))),
    ...results.flatMap((result) => others('result', result)),
    ...media.flatMap((part) => [
      ...others('medium', field(part, 'inlineData')),
      ...others('medium', field(part, 'fileData')),
    ]),
  ];
}

function others(kind: keyof typeof READ, object: unknown): string[] {
  if (!isObject(object)) return [];
  const read = new Set(READ[kind].split(' '));
  return Object.entries(object).flatMap(([name, value]) =>
    value === null || read.has(camelCase(name)) ? [] : [camelCase(name)],
  );
}
