import type { JsonObject } from '../json.ts';
import type { Assembler } from '../openai/assemble.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { openaiUsage } from '../usage.ts';
import { responseFinish } from './response.ts';

/** Deltas that are content. */
const CONTENT = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_summary_text.delta',
  'response.reasoning_text.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
]);

/** The whole of a part of reasoning or text, by the event that tells it in full. */
const MAX_ITEMS = 1_024;

/** Folds the events of a response into the response: the last event holds it, and until then what is known of it. */
class ResponseFolding implements Assembler {
  #response: JsonObject = {};
  readonly #items: JsonObject[] = [];
  #text = '';
  content = false;
  finish: string | null = null;

  push(event: JsonObject): void {
    const type = stringOf(event.type) ?? '';
    if (isObject(event.response)) this.#response = event.response;
    if (CONTENT.has(type) && event.delta !== '') this.content = true;
    if (type === 'response.output_text.delta') this.#text += stringOf(event.delta) ?? '';
    if (type === 'response.output_item.done' && isObject(event.item))
      this.#done(event.item, event.output_index);
    if (type === 'response.completed' || type === 'response.incomplete') {
      this.finish = responseFinish(this.#response) ?? 'stop';
    }
  }

  #done(item: JsonObject, place: unknown): void {
    // A call is content also where its arguments came in one piece.
    this.content ||= item.type !== 'reasoning';
    const at = numberOf(place) ?? this.#items.length;
    if (at < MAX_ITEMS) this.#items[at] = item;
    if (item.type === 'message') this.#text = '';
  }

  get seen(): number {
    return 1;
  }

  get finished(): boolean {
    return this.finish !== null;
  }

  get usage(): Usage | undefined {
    return openaiUsage(this.#response.usage);
  }

  result(): JsonObject {
    if (this.finished && listOf(this.#response.output).length > 0) return this.#response;
    const cut = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: this.#text }] };
    const items = this.#items.filter((item) => item !== undefined);
    return { ...objectOf(this.#response), output: this.#text === '' ? items : [...items, cut] };
  }

  plainText(): undefined {
    return undefined;
  }
}

/** For the events of /v1/responses. */
export function responseAssembler(): Assembler {
  return new ResponseFolding();
}
