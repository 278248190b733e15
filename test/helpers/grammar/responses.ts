import type { JsonObject } from '../../../src/wire/json.ts';
import type { Problems } from './frames.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { openapiProblems } from '../openapi.ts';
import { framesOf } from './frames.ts';

/** The position of the stream in a response; `failing` between the error and the failed response. */
type State = 'before' | 'created' | 'running' | 'ended' | 'failing';

interface Part {
  readonly kind: 'content' | 'summary';
  readonly type: string;
  text: string;
  readonly annotations: unknown[];
  readonly logprobs: unknown[];
  done: boolean;
}

/** The type of the part that a delta or a text belongs to, by the middle of its event name. */
const PART_OF: Readonly<Record<string, string>> = {
  output_text: 'output_text',
  refusal: 'refusal',
  reasoning_summary_text: 'summary_text',
};

/** An item in progress and the content of its parts so far. */
interface Item {
  readonly value: JsonObject;
  readonly place: number;
  readonly parts: JsonObject[];
  part: Part | undefined;
  text: string;
  textDone: boolean;
}

/** Checks a stream of Responses events against its grammar: returns the response that it makes, and the problems. */
export function checkResponsesStream(sse: string): { response: JsonObject; problems: Problems } {
  const checker = new ResponsesChecker();
  for (const { name, value, data } of framesOf(sse, checker.problems)) checker.event(name, value, data);
  checker.end();
  return { response: checker.response, problems: checker.problems };
}

class ResponsesChecker {
  readonly problems: string[] = [];
  response: JsonObject = {};
  #state: State = 'before';
  #sequence = 0;
  readonly #items: JsonObject[] = [];
  readonly #ids = new Set<string>();
  #item: Item | undefined;

  event(name: string | undefined, value: unknown, data: string): void {
    if (!isObject(value)) return this.#wrong(`no JSON object: ${data.slice(0, 80)}`);
    const type = stringOf(value.type) ?? '';
    if (name !== type) this.#wrong(`event "${name}" is of type "${type}"`);
    if (value.sequence_number !== this.#sequence) {
      this.#wrong(`${type} has number ${String(value.sequence_number)}, not ${this.#sequence}`);
    }
    this.#sequence += 1;
    this.problems.push(...openapiProblems('ResponseStreamEvent', value).slice(0, 2));
    if (this.#state === 'ended') return this.#wrong(`${type} behind the end`);
    if (this.#state === 'failing') return this.#failed(type, value);
    if (type === 'error') {
      this.#state = 'failing';
      return;
    }
    if (type === 'response.created') return this.#created(value);
    if (type === 'response.in_progress') return this.#running(value);
    if (this.#state !== 'running') this.#wrong(`${type} before the response is in progress`);
    if (/^response\.(?:completed|incomplete)$/.test(type)) return this.#ended(type, value);
    this.#inside(type, value);
  }

  end(): void {
    if (this.#state !== 'ended') this.#wrong('no last event');
  }

  #wrong(problem: string): void {
    this.problems.push(problem);
  }

  #created({ response }: JsonObject): void {
    if (this.#state !== 'before') this.#wrong('created twice');
    this.#state = 'created';
    this.response = objectOf(response);
    if (listOf(this.response.output).length > 0) this.#wrong('created with output');
    if (this.response.status !== 'in_progress') this.#wrong('created, but not in progress');
  }

  #running({ response }: JsonObject): void {
    if (this.#state !== 'created') this.#wrong('in progress without having been created');
    this.#state = 'running';
    if (objectOf(response).id !== this.response.id) this.#wrong('in progress under another id');
  }

  /** A failed response may contain unfinished items; it must be the response that was announced. */
  #failed(type: string, { response }: JsonObject): void {
    this.#state = 'ended';
    if (type !== 'response.failed') return this.#wrong(`${type} behind an error`);
    const last = objectOf(response);
    if (last.id !== this.response.id) this.#wrong('failed under another id');
    if (last.status !== 'failed' || !isObject(last.error)) this.#wrong('it failed without an error');
    const done = listOf(last.output).slice(0, this.#items.length);
    if (!Bun.deepEquals(done, this.#items)) this.#wrong('the output is not what its items were');
  }

  #ended(type: string, { response }: JsonObject): void {
    this.#state = 'ended';
    if (this.#item) this.#wrong('the last item is not closed');
    const last = objectOf(response);
    if (last.id !== this.response.id) this.#wrong('ended under another id');
    if (`response.${String(last.status)}` !== type) this.#wrong(`${type} with status ${String(last.status)}`);
    if (isObject(last.error)) this.#wrong('it is complete, and has an error');
    if (!Bun.deepEquals(last.output, this.#items)) this.#wrong('the output is not what its items were');
    this.problems.push(...openapiProblems('Response', last).slice(0, 2));
    this.response = last;
  }

  #inside(type: string, value: JsonObject): void {
    if (type === 'response.output_item.added') return this.#added(value);
    const item = this.#item;
    if (!item) return this.#wrong(`${type} outside of an item`);
    if (value.output_index !== item.place) this.#wrong(`${type} at place ${String(value.output_index)}`);
    if (type === 'response.output_item.done') return this.#closed(item, objectOf(value.item));
    if (value.item_id !== item.value.id) this.#wrong(`${type} of item ${String(value.item_id)}`);
    if (type === 'response.output_text.annotation.added') return this.#cited(item, value);
    if (type.endsWith('_part.added')) return this.#partAdded(item, type, value);
    if (type.endsWith('_part.done')) return this.#partDone(item, value);
    if (type.endsWith('.delta')) return this.#delta(item, type, value);
    if (type.endsWith('.done')) return this.#done(item, type, value);
    this.#wrong(`${type} is not known`);
  }

  #added(value: JsonObject): void {
    if (this.#item) this.#wrong('an item begins inside of another');
    const item = objectOf(value.item);
    const id = String(item.id);
    if (this.#ids.has(id)) this.#wrong(`the id ${id} is used twice`);
    this.#ids.add(id);
    const place = numberOf(value.output_index) ?? -1;
    if (place !== this.#items.length) this.#wrong(`an item is added at place ${place}`);
    const text = stringOf(item.arguments) ?? stringOf(item.input) ?? '';
    if (text !== '' || listOf(item.content).length > 0) this.#wrong('an item begins with content');
    this.#item = { value: item, place, parts: [], part: undefined, text: '', textDone: false };
  }

  #partAdded(item: Item, type: string, value: JsonObject): void {
    if (item.part) this.#wrong('a part begins inside of another');
    const kind = type.includes('summary') ? 'summary' : 'content';
    const index = value[`${kind}_index`];
    if (index !== item.parts.length) this.#wrong(`a part is added at ${String(index)}`);
    const part = objectOf(value.part);
    if ((part.text ?? part.refusal) !== '') this.#wrong('a part begins with content');
    if (listOf(part.annotations).length > 0) this.#wrong('a part begins with annotations');
    item.part = { kind, type: String(part.type), text: '', annotations: [], logprobs: [], done: false };
  }

  #delta(item: Item, type: string, value: JsonObject): void {
    const delta = stringOf(value.delta);
    if (delta === undefined || delta === '') this.#wrong(`${type} says nothing`);
    if (type.includes('arguments') || type.includes('input')) {
      if (item.textDone) this.#wrong(`${type} behind the end of its call`);
      item.text += delta ?? '';
      return;
    }
    const part = this.#partOf(item, type, value);
    if (!part) return;
    part.text += delta ?? '';
    part.logprobs.push(...listOf(value.logprobs));
  }

  #cited(item: Item, value: JsonObject): void {
    const part = this.#partOf(item, String(value.type), value);
    if (!part) return;
    if (value.annotation_index !== part.annotations.length) this.#wrong('an annotation is out of order');
    part.annotations.push(value.annotation);
  }

  /** The part in progress, if it is the one that an event names. */
  #partOf(item: Item, type: string, value: JsonObject): Part | undefined {
    const { part } = item;
    if (!part) this.#wrong(`${type} outside of a part`);
    if (!part) return undefined;
    if (PART_OF[type.split('.')[1] ?? ''] !== part.type) this.#wrong(`${type} in a part of ${part.type}`);
    if (value[`${part.kind}_index`] !== item.parts.length) this.#wrong(`${type} of another part`);
    if (part.done) this.#wrong(`${type} behind the end of its part`);
    return part;
  }

  #done(item: Item, type: string, value: JsonObject): void {
    const whole = stringOf(value.arguments) ?? stringOf(value.input);
    if (whole !== undefined) {
      if (item.textDone) this.#wrong(`${type} comes twice`);
      if (whole !== (item.text || '{}') && whole !== item.text)
        this.#wrong(`${type} differs from its deltas`);
      item.text = whole;
      item.textDone = true;
      return;
    }
    const said = stringOf(value.text) ?? stringOf(value.refusal);
    const part = this.#partOf(item, type, value);
    if (!part) return;
    if (said !== part.text) this.#wrong(`${type} differs from its deltas`);
    if (value.logprobs !== undefined && !Bun.deepEquals(value.logprobs, part.logprobs)) {
      this.#wrong(`${type} has other probabilities than its deltas`);
    }
    part.done = true;
  }

  #partDone(item: Item, value: JsonObject): void {
    const { part } = item;
    if (!part) return this.#wrong('a part ends that has not begun');
    if (!part.done) this.#wrong('a part is closed whose text is not done');
    const whole = objectOf(value.part);
    if (whole.type !== part.type || value[`${part.kind}_index`] !== item.parts.length) {
      this.#wrong('another part ends than the one in progress');
    }
    if ((whole.text ?? whole.refusal) !== part.text) this.#wrong('a part differs from its deltas');
    if (part.type === 'output_text') {
      if (!Bun.deepEquals(whole.annotations, part.annotations)) this.#wrong('a part has other annotations');
      if (!Bun.deepEquals(whole.logprobs, part.logprobs)) this.#wrong('a part has other probabilities');
    }
    item.parts.push(whole);
    item.part = undefined;
  }

  #closed(item: Item, whole: JsonObject): void {
    if (item.part) this.#wrong('an item ends inside of a part');
    if (whole.id !== item.value.id || whole.type !== item.value.type) this.#wrong('an item ends as another');
    const parts = listOf(whole.type === 'reasoning' ? whole.summary : whole.content);
    if (!Bun.deepEquals(parts, item.parts)) this.#wrong('an item differs from its parts');
    const text = stringOf(whole.arguments) ?? stringOf(whole.input);
    if (text !== undefined && (text !== item.text || !item.textDone))
      this.#wrong('a call differs from its deltas');
    if (whole.arguments !== undefined && !isObject(parseJson(text ?? ''))) {
      this.#wrong(`the arguments are not a JSON object: ${text}`);
    }
    this.#items.push(whole);
    this.#item = undefined;
  }
}
