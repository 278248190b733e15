import type { Content, GenerateContentConfig, GenerateContentResponse, Part } from '@google/genai';
import { ApiError, FinishReason, GoogleGenAI } from '@google/genai';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

/** Google's SDK, with the proxy as its endpoint. */
export function genai({ url }: Pick<Asking, 'url'>): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url } });
}

const tools = [
  {
    functionDeclarations: Object.entries(TOOLS).map(([name, { field, description }]) => ({
      name,
      description,
      parametersJsonSchema: parametersOf(field),
    })),
  },
];

interface Answer {
  readonly parts: Part[];
  readonly finish: FinishReason | undefined;
  readonly usage: GenerateContentResponse['usageMetadata'];
}

async function answer(asked: Asking, contents: Content[], more: GenerateContentConfig = {}): Promise<Answer> {
  const thinking = asked.thinks ? { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } } : {};
  const request = { model: asked.model, contents, config: { ...thinking, ...more } };
  const { models } = genai(asked);
  const answers: GenerateContentResponse[] = [];
  if (asked.stream)
    for await (const piece of await models.generateContentStream(request)) answers.push(piece);
  else answers.push(await models.generateContent(request));
  return {
    parts: answers.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []),
    finish: answers.at(-1)?.candidates?.[0]?.finishReason,
    usage: answers.at(-1)?.usageMetadata,
  };
}

function textOf(parts: readonly Part[], thought = false): string {
  return parts.map((part) => ((part.thought ?? false) === thought ? (part.text ?? '') : '')).join('');
}

const user = (...parts: Part[]): Content => ({ role: 'user', parts });

/** The @google/genai package. */
export const genaiSdk: Driver = {
  name: '@google/genai',

  async plain(asked) {
    const { parts, finish, usage } = await answer(asked, [user({ text: asked.words })]);
    return {
      text: textOf(parts),
      reasoning: textOf(parts, true) || undefined,
      finished: finish === FinishReason.STOP,
      input: usage?.promptTokenCount,
      output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    };
  },

  async loop(asked) {
    const contents = [user({ text: asked.words })];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { parts } = await answer(asked, contents, { tools });
      contents.push({ role: 'model', parts });
      const calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
      if (calls.length === 0) return textOf(parts);
      contents.push(
        user(
          ...calls.map(({ id, name, args }) => ({
            functionResponse: { id, name, response: { output: runTool(name!, args) } },
          })),
        ),
      );
    }
    throw new Error('The loop does not end');
  },

  async object(asked) {
    const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA };
    const { parts } = await answer(asked, [user({ text: asked.words })], config);
    return JSON.parse(textOf(parts));
  },

  async picture(asked) {
    const picture = { inlineData: { mimeType: 'image/png', data: PICTURE } };
    return textOf((await answer(asked, [user({ text: asked.words }, picture)])).parts);
  },

  async leaves(asked) {
    const abort = new AbortController();
    const stream = await genai(asked).models.generateContentStream({
      model: asked.model,
      contents: asked.words,
      config: { abortSignal: abort.signal },
    });
    for await (const { text } of stream) {
      if (!text) continue;
      abort.abort();
      break;
    }
  },

  raised(error) {
    const own = error instanceof ApiError;
    return { own, status: own ? error.status : undefined, message: (error as Error).message };
  },
};
