/** Gemini's embeddings for clients: decodes requests and encodes answers. */
import type { EmbeddingClient } from '../embeddings.ts';
import type { JsonObject } from '../json.ts';
import { listOf, objectOf } from '../json.ts';
import { vectorOf } from '../openai/embeddings.ts';
import { openaiUsage } from '../usage.ts';
import { fieldOf, numberIn, objectIn, objectsIn, textIn, unknownIn, wrong } from './client-check.ts';
import { details } from './client-usage.ts';

const KNOWN: ReadonlySet<string> = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality']);

/** The fields of Vertex AI's requests that are read. */
const PARAMETERS: ReadonlySet<string> = new Set(['outputDimensionality']);
const INSTANCE: ReadonlySet<string> = new Set(['content', 'taskType']);

/** One text of a request. Other APIs embed all texts in one request, for which its settings must be the same. */
interface Wish {
  readonly text: string;
  readonly task: string | undefined;
  readonly size: number | undefined;
}

/** `:embedContent`. @see https://ai.google.dev/api/embeddings#method:-models.embedcontent */
export const embedContent: EmbeddingClient = {
  decode(body) {
    const dropped = new Set<string>();
    const wish = wishOf(body, '', dropped);
    return {
      ...decoded([wish], wish, dropped),
      encode: (answer) => ({ embedding: vectorsIn(answer)[0] ?? { values: [] }, ...usageIn(answer) }),
    };
  },
};

/** `:batchEmbedContents`. @see https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
export const batchEmbedContents: EmbeddingClient = {
  decode(body) {
    const dropped = new Set<string>();
    const requests = objectsIn(body, 'requests', '');
    const wishes = requests.map((request, index) => wishOf(request, `requests[${index}]`, dropped));
    const [first] = wishes;
    if (!first) throw wrong('requests', 'at least one request is required');
    wishes.forEach(({ size }, index) => {
      if (size !== first.size)
        throw wrong(`requests[${index}].outputDimensionality`, 'expected the same in all requests');
    });
    return {
      ...decoded(wishes, first, dropped),
      encode: (answer) => ({ embeddings: vectorsIn(answer), ...usageIn(answer) }),
    };
  },
};

/** Vertex AI's `:predict`. @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const predict: EmbeddingClient = {
  decode(body) {
    const dropped = new Set<string>(unknownIn(body, new Set(['instances', 'parameters'])));
    const parameters = objectIn(body, 'parameters', '') ?? {};
    for (const name of unknownIn(parameters, PARAMETERS)) dropped.add(`parameters.${name}`);
    const size = numberIn(parameters, 'outputDimensionality', 'parameters', { min: 1, whole: true });
    const wishes = objectsIn(body, 'instances', '').map((instance, index): Wish => {
      const at = `instances[${index}]`;
      for (const name of unknownIn(instance, INSTANCE)) dropped.add(`instances.${name}`);
      const text = textIn(instance, 'content', at);
      if (text === undefined) throw wrong(`${at}.content`, 'it is missing');
      return { text, task: textIn(instance, 'taskType', at), size };
    });
    const [first] = wishes;
    if (!first) throw wrong('instances', 'at least one instance is required');
    return {
      ...decoded(wishes, first, dropped),
      encode(answer) {
        const vectors = vectorsIn(answer);
        const tokens = openaiUsage(answer.usage)?.input ?? 0;
        // They are reported for all texts together: the first one gets them.
        const statistics = (index: number) => ({ truncated: false, token_count: index === 0 ? tokens : 0 });
        return {
          predictions: vectors.map((vector, index) => ({
            embeddings: { ...vector, statistics: statistics(index) },
          })),
        };
      },
    };
  },
};

function wishOf(request: JsonObject, at: string, dropped: Set<string>): Wish {
  for (const name of unknownIn(request, KNOWN)) dropped.add(name);
  if (fieldOf(request, 'title') !== undefined) dropped.add('title');
  const place = at === '' ? 'content' : `${at}.content`;
  const content = objectIn(request, 'content', at);
  if (!content) throw wrong(place, 'it is missing');
  const parts = objectsIn(content, 'parts', place);
  const texts = parts.map((part, index) => {
    const text = textIn(part, 'text', `${place}.parts[${index}]`);
    if (text !== undefined) return text;
    throw wrong(`${place}.parts[${index}]`, 'only texts can be embedded');
  });
  if (texts.length === 0) throw wrong(`${place}.parts`, 'at least one part is required');
  return {
    text: texts.join('\n'),
    task: textIn(request, 'taskType', at),
    size: numberIn(request, 'outputDimensionality', at, { min: 1, whole: true }),
  };
}

/** The request in OpenAI's format. */
function decoded(
  wishes: readonly Wish[],
  { task: first, size }: Wish,
  dropped: Set<string>,
): { request: JsonObject; dropped: string[] } {
  const isCommon = wishes.every(({ task }) => task === first);
  if (!isCommon) dropped.add('taskType');
  const task = isCommon ? first : undefined;
  return {
    request: {
      input: wishes.map(({ text }) => text),
      ...(size === undefined ? {} : { dimensions: size }),
      ...(task === undefined ? {} : { task_type: task }),
    },
    dropped: [...dropped],
  };
}

function vectorsIn({ data }: JsonObject): { values: number[] }[] {
  return listOf(data).map((each) => ({ values: vectorOf(objectOf(each).embedding) }));
}

function usageIn({ usage }: JsonObject): JsonObject {
  const tokens = openaiUsage(usage)?.input ?? 0;
  return tokens > 0
    ? { usageMetadata: { promptTokenCount: tokens, promptTokensDetails: details(tokens) } }
    : {};
}
