import type { ProxyError } from '../../errors.ts';
import type { ChatChunk } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Begun, ChatWriter } from '../protocol.ts';
import type { OpenaiUsage } from '../usage.ts';
import type { Envelope } from './client-response.ts';
import type { Events } from '../long-events.ts';
import { isObject, listOf } from '../json.ts';
import { encodeCitations } from './citations.ts';
import type { ImagePart, Part } from '../parts/part.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { Lost, lostComment } from '../parts/lost.ts';
import { wholeParts } from '../parts/part-list.ts';
import { encodeImage } from './hosted.ts';
import { ItemWriter } from './client-item-stream.ts';
import { ownId } from './sealed.ts';
import { responseId, responseObject, resultOf } from './client-response.ts';
import { failureEvents } from './failure.ts';
import { encodeProbabilities } from './probabilities.ts';

/** Writes the events of a response: its start, its items one after another, and its end. */
export class ResponsesWriter implements ChatWriter {
  readonly #envelope: Envelope;
  readonly #announced: JsonObject | undefined;
  readonly #items: ItemWriter;
  readonly #lost: Lost;
  #id = '';
  #model = '';
  #finish: string | null = null;
  #usage: OpenaiUsage | undefined;

  /**
   * @param begun what the client has already received of the response
   * @param lost counts what a response cannot express
   */
  constructor(envelope: Envelope, begun?: Begun, lost = new Lost()) {
    this.#lost = lost;
    this.#envelope = envelope;
    this.#items = new ItemWriter(envelope, begun, lost);
    this.#announced = begun?.response?.announced;
    if (!this.#announced) return;
    this.#id = String(this.#announced.id);
    this.#model = String(this.#announced.model);
  }

  push(chunk: ChatChunk): Events {
    if (this.#id === '') this.#begin(chunk);
    if (chunk.usage) this.#usage = chunk.usage;
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (chunk.choices.some(({ index }) => index > 0)) this.#lost.once('choice');
    if (choice) this.#read(choice);
    return this.#items.take();
  }

  end(): Events {
    if (this.#id === '') this.#begin({ id: '', model: '' });
    this.#items.end();
    const response = this.#response(this.#finish ?? 'stop');
    this.#items.comment(lostComment(this.#lost));
    this.#items.event(`response.${String(response.status)}`, { response });
    return this.#items.take();
  }

  fail(error: ProxyError, _requestId: string): Events {
    if (this.#id === '') this.#begin({ id: '', model: '' });
    const response = { ...this.#response(null), output: this.#items.unfinished() };
    const events = failureEvents(error, response, this.#items.next);
    return [this.#items.take(), events].flat();
  }

  #read({ delta, logprobs, finish_reason: finish }: ChatChunk['choices'][number]): void {
    const { content, refusal, reasoning_content: reasoning, thinking_blocks: blocks, tool_calls } = delta;
    if (reasoning) this.#items.grow('reasoning', 'summary', reasoning, [], ownId(listOf(blocks)[0]));
    for (const block of listOf(blocks)) if (isObject(block)) this.#items.seal(block);
    if (content) this.#items.grow('message', 'text', content, encodeProbabilities(logprobs));
    if (delta.annotations !== undefined) this.#cite(delta);
    if (isObject(delta.audio)) this.#hear(delta.audio);
    if (delta.parts !== undefined) this.#whole(wholeParts(delta.parts));
    if (refusal) this.#items.grow('message', 'refusal', refusal);
    for (const call of tool_calls ?? []) this.#items.call(call);
    if (finish === null) return;
    this.#finish ??= finish;
    this.#items.close();
  }

  #cite(delta: JsonObject): void {
    for (const note of annotationsIn(delta)) {
      const [encoded] = encodeCitations([note], this.#items.before, this.#lost);
      if (encoded && !this.#items.cite(encoded)) this.#lost.add('citation');
    }
  }

  /** For audio, a response contains the transcript. */
  #hear({ transcript }: JsonObject): void {
    this.#lost.once('audio');
    if (typeof transcript === 'string' && transcript !== '') this.#items.grow('message', 'text', transcript);
  }

  /** A tool that the provider ran is one item with its result, which comes with it or directly after it. */
  #whole(parts: readonly Part[]): void {
    for (const [place, part] of parts.entries()) {
      if (part.type === 'hosted_call') this.#items.hosted(part, resultOf(part, parts.slice(place + 1)));
      else if (part.type === 'hosted_result') this.#items.gave(part);
      else if (part.type === 'image') this.#show(part);
      else if (part.type === 'file') this.#lost.add('file');
    }
  }

  #show({ url, prompt }: ImagePart): void {
    const item = encodeImage(url, prompt, this.#envelope.newId);
    if (item) this.#items.whole(item);
    else this.#lost.add('image');
  }

  #begin({ id, model }: Pick<ChatChunk, 'id' | 'model'>): void {
    this.#id = responseId(id, this.#envelope);
    this.#model = model;
    const response = this.#response(null);
    this.#items.event('response.created', { response });
    this.#items.event('response.in_progress', { response });
  }

  /** If another server announced the response, all of its fields are kept. */
  #response(finish: string | null): JsonObject {
    const response = responseObject(this.#envelope, {
      id: this.#id,
      model: this.#model,
      output: [...this.#items.output],
      finish,
      ...(finish !== null && this.#usage ? { usage: this.#usage } : {}),
    });
    if (!this.#announced) return response;
    const { completed_at, status, error, incomplete_details, output, usage } = response;
    return {
      ...response,
      ...this.#announced,
      completed_at,
      status,
      error,
      incomplete_details,
      output,
      usage,
    };
  }
}
