/** Ollama's embeddings for clients: decodes requests and encodes answers. */
import type { EmbeddingClient } from '../embeddings.ts';
import type { JsonObject } from '../json.ts';
import { numberIn, wrong } from '../anthropic/client-check.ts';
import { listOf, objectOf, stringOf } from '../json.ts';
import { vectorOf } from '../openai/embeddings.ts';
import { openaiUsage } from '../usage.ts';

const EMBED: ReadonlySet<string> = new Set(['model', 'input', 'truncate', 'keep_alive', 'dimensions']);
const OLD: ReadonlySet<string> = new Set(['model', 'prompt', 'keep_alive']);

/** `/api/embed`. */
export const embed: EmbeddingClient = {
  decode(body) {
    const size = numberIn(body, 'dimensions', { min: 1, whole: true });
    const { input } = body;
    const texts: unknown[] = Array.isArray(input) ? input : [input ?? ''];
    const bad = texts.findIndex((text) => typeof text !== 'string');
    if (bad >= 0) throw wrong(Array.isArray(input) ? `input.${bad}` : 'input', 'expected a string');
    return {
      request: { input: texts, ...(size === undefined ? {} : { dimensions: size }) },
      dropped: namesBeside(body, EMBED),
      encode: (answer) => ({
        model: stringOf(body.model) ?? '',
        embeddings: vectorsIn(answer),
        total_duration: 0,
        load_duration: 0,
        prompt_eval_count: openaiUsage(answer.usage)?.input ?? 0,
      }),
    };
  },
};

/** `/api/embeddings`, its predecessor: one text, one vector. */
export const oldEmbeddings: EmbeddingClient = {
  decode(body) {
    const { prompt = '' } = body;
    if (typeof prompt !== 'string') throw wrong('prompt', 'expected a string');
    return {
      request: { input: [prompt] },
      dropped: namesBeside(body, OLD),
      encode: (answer) => ({ embedding: vectorsIn(answer)[0] ?? [] }),
    };
  },
};

function vectorsIn({ data }: JsonObject): number[][] {
  return listOf(data).map((each) => vectorOf(objectOf(each).embedding));
}

function namesBeside(body: JsonObject, known: ReadonlySet<string>): string[] {
  return Object.keys(body).filter((name) => !known.has(name) && body[name] !== null);
}
