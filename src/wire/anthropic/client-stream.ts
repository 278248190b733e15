import type { Events } from '../long-events.ts';
import { eventsAfter } from '../long-events.ts';
import type { ChatChunk } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ProxyError } from '../../errors.ts';
import type { Begun, ChatWriter } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import type { AnswerOptions } from './client-response.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { openaiUsage } from '../usage.ts';
import { BlockWriter, messageEvent } from './client-blocks.ts';
import {
  encodeUsage,
  hostedBlocks,
  messageHead,
  stopFields,
  stopSequence,
  textOf,
} from './client-response.ts';
import { messagesErrorEvent } from './client-error.ts';
import type { Part } from '../parts/part.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { Lost, lostComment } from '../parts/lost.ts';
import { wholeParts } from '../parts/part-list.ts';
import { encodeCitation } from './citations.ts';
import { shownSeal } from './client-thinking.ts';

/**
 * Encodes chat chunks as Messages events. Input tokens are only known at the end: `message_start` reports 0,
 * `message_delta` the total, which the API itself repeats there as well.
 * @see https://docs.anthropic.com/en/api/messages-streaming
 */
export class MessagesWriter implements ChatWriter {
  readonly #options: AnswerOptions;
  readonly #blocks: BlockWriter;
  readonly #lost: Lost;
  /** The whole text so far, which annotations refer to. */
  #text = '';
  #started = false;
  #calls = false;
  #refused = false;
  #finish: string | undefined;
  #sequence: string | undefined;
  #usage: Usage | undefined;
  #stopped = false;

  /**
   * @param begun what the client has already received of the message
   * @param lost counts what a message cannot express
   */
  constructor(options: AnswerOptions, begun?: Begun, lost = new Lost()) {
    this.#options = options;
    this.#lost = lost;
    this.#blocks = new BlockWriter(begun?.place);
    this.#started = begun !== undefined;
  }

  push(chunk: ChatChunk): Events {
    this.#usage = openaiUsage(chunk.usage) ?? this.#usage;
    const choices = listOf(chunk.choices).filter(isObject);
    // Azure's first chunk has no id and model.
    if (choices.length === 0) return this.#finish !== undefined && this.#usage ? this.#stop() : '';
    const begin = this.#start(chunk);
    const choice = choices.find(({ index }) => (numberOf(index) ?? 0) === 0);
    if (choices.some(({ index }) => (numberOf(index) ?? 0) > 0)) this.#lost.once('choice');
    if (!choice || this.#finish !== undefined) return begin;
    if (isObject(choice.logprobs)) this.#lost.once('logprobs');
    this.#read(objectOf(choice.delta));
    const finish = stringOf(choice.finish_reason);
    if (finish) {
      this.#finish = finish;
      this.#sequence = stopSequence(choice, this.#options);
      this.#blocks.close();
    }
    return eventsAfter(begin, this.#blocks.take());
  }

  end(): Events {
    const begin = this.#start({});
    this.#blocks.close();
    return eventsAfter(begin, this.#blocks.take(), this.#stop(), lostComment(this.#lost), [
      messageEvent({ type: 'message_stop' }),
    ]);
  }

  fail(error: ProxyError, requestId: string): string {
    return messagesErrorEvent(error, requestId);
  }

  #start(chunk: { id?: unknown; model?: unknown }): Events {
    if (this.#started) return '';
    this.#started = true;
    const message = {
      ...messageHead(chunk, this.#options),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: encodeUsage(undefined),
    };
    return [messageEvent({ type: 'message_start', message })];
  }

  #read(delta: JsonObject): void {
    this.#blocks.thinking(stringOf(delta.reasoning_content) ?? '');
    for (const block of listOf(delta.thinking_blocks)) if (isObject(block)) this.#thought(block);
    const text = textOf(delta.content);
    this.#text += text;
    this.#blocks.text(text);
    if (delta.annotations !== undefined) this.#cite(delta);
    if (isObject(delta.audio)) this.#hear(delta.audio);
    for (const part of wholeParts(delta.parts)) this.#whole(part);
    const refusal = stringOf(delta.refusal) ?? '';
    this.#refused ||= refusal !== '';
    this.#blocks.text(refusal);
    for (const call of listOf(delta.tool_calls)) if (isObject(call)) this.#call(call);
  }

  #cite(delta: JsonObject): void {
    for (const note of annotationsIn(delta)) {
      if (!this.#blocks.cite(encodeCitation(note, this.#text))) this.#lost.add('citation');
    }
  }

  /** For audio, a message contains the transcript. */
  #hear({ transcript }: JsonObject): void {
    this.#lost.once('audio');
    this.#blocks.text(stringOf(transcript) ?? '');
  }

  #whole(part: Part): void {
    if (part.type === 'hosted_call' || part.type === 'hosted_result') {
      for (const block of hostedBlocks(part, this.#lost)) this.#blocks.hosted(block);
    } else if (part.type === 'image' || part.type === 'file') this.#lost.add(part.type);
  }

  /** Signed thinking was streamed before; only its signature follows. Unsigned blocks were streamed completely. */
  #thought(block: JsonObject): void {
    const shown = shownSeal(block);
    if (shown?.type === 'thinking')
      this.#blocks.signed({ thinking: String(shown.thinking), signature: String(shown.signature) });
    else if (shown) this.#blocks.whole(shown);
  }

  #call(call: JsonObject): void {
    this.#calls = true;
    const { name, arguments: piece } = objectOf(call.function);
    const text = isObject(piece) ? JSON.stringify(piece) : (stringOf(piece) ?? '');
    const id = stringOf(call.id) || undefined;
    const newId = () => `toolu_${this.#options.newId()}`;
    this.#blocks.call(numberOf(call.index), id, stringOf(name) ?? '', text, newId);
  }

  #stop(): Events {
    if (this.#stopped) return '';
    this.#stopped = true;
    const facts = { calls: this.#calls, refused: this.#refused, sequence: this.#sequence };
    return [
      messageEvent({
        type: 'message_delta',
        delta: { container: null, ...stopFields(this.#finish, facts) },
        usage: encodeUsage(this.#usage),
      }),
    ];
  }
}
