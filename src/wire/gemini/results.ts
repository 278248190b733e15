import type { ChatMessage } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { GeminiModel } from './models.ts';
import { isObject, parseExactJson } from '../json.ts';
import { invalid, partsOf, userParts } from './parts.ts';

/** An earlier call, by its id. */
export interface EarlierCall {
  readonly name: string;
  /** Its index among the calls of its turn. */
  readonly place: number;
}

interface Result {
  readonly place: number;
  readonly part: JsonObject;
  readonly media: JsonObject[];
}

/**
 * The function results of one turn. They are put in the order of their calls, whatever order they are in: by id, or by
 * name and order, since the API matches the first result with the first call.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export class Results {
  readonly #model: GeminiModel;
  #results: Result[] = [];

  constructor(model: GeminiModel) {
    this.#model = model;
  }

  /** @throws ProxyError `invalid_request` for a result without a call */
  push(message: ChatMessage, made: ReadonlyMap<string, EarlierCall>, at: string): void {
    const id = message.tool_call_id;
    const call = made.get(id ?? '');
    const name = call?.name ?? message.name;
    if (name === undefined) throw invalid(at, 'tool_call_id names no call before it');
    const content = partsOf(message.content, at);
    const text = content.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
    const media = userParts({ role: 'user', content: content.filter(({ type }) => type !== 'text') }, at);
    // URLs are not accepted within a result.
    const within = this.#model.mediaInResults ? media.filter(({ inlineData }) => inlineData) : [];
    const functionResponse = {
      ...(this.#model.pairsById && id ? { id } : {}),
      name,
      response: responseOf(text, message.is_error === true),
      ...(within.length > 0 ? { parts: within } : {}),
    };
    this.#results.push({
      place: call?.place ?? Infinity,
      part: { functionResponse },
      media: media.filter((part) => !within.includes(part)),
    });
  }

  /** The results since the last call of this method, and media that need a turn of their own. */
  take(): { parts: JsonObject[]; media: JsonObject[] } {
    const results = this.#results.sort((a, b) => (a.place === b.place ? 0 : a.place - b.place));
    this.#results = [];
    return { parts: results.map(({ part }) => part), media: results.flatMap(({ media }) => media) };
  }
}

/** Results must be objects. If a text contains numbers that JavaScript would round, it stays text. */
function responseOf(text: string, failed: boolean): JsonObject {
  // For anything else, parsing would only fail, which takes longer than parsing.
  const value = /^\s*[[{]/.test(text) ? parseExactJson(text) : undefined;
  if (isObject(value) && !failed) return value;
  return { [failed ? 'error' : 'result']: isObject(value) || Array.isArray(value) ? value : text };
}
