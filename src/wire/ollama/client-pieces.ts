import type { JsonObject } from '../json.ts';
import type { Lost } from '../parts/lost.ts';
import type { WholeCall } from '../parts/whole-calls.ts';
import type { ChatDelta } from '../chat.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { wholeParts } from '../parts/part-list.ts';
import { WholeCalls } from '../parts/whole-calls.ts';
import { bareImage } from './images.ts';

/** A piece of a message, in the fields of Ollama's messages. */
export interface MessagePiece {
  readonly content?: string;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly JsonObject[];
}

/** Encodes a message piece by piece in Ollama's format: one kind of content per piece, calls whole. */
export class OllamaPieces {
  readonly #queue = new WholeCalls<MessagePiece>();
  readonly #newId: () => string;
  readonly #lost: Lost;
  /** Whether thoughts are shown. */
  readonly #thoughts: boolean;
  #calls = 0;

  constructor({ newId, lost, thoughts }: { newId: () => string; lost: Lost; thoughts: boolean }) {
    this.#newId = newId;
    this.#lost = lost;
    this.#thoughts = thoughts;
  }

  read(delta: ChatDelta): void {
    const { reasoning_content: thought, content, refusal, audio } = delta;
    if (this.#thoughts && typeof thought === 'string' && thought !== '')
      this.#queue.add({ thinking: thought });
    this.#say(textOf(content));
    this.#lost.add('citation', annotationsIn(delta).length);
    if (isObject(audio)) this.#hear(audio);
    for (const part of wholeParts(delta.parts)) {
      if (part.type === 'image') this.#show(part.url);
      else if (part.type === 'file') this.#lost.add('file');
      else if (part.type === 'hosted_call') this.#lost.add('hosted_tool');
    }
    this.#say(refusal ?? '');
    for (const call of listOf(delta.tool_calls))
      if (isObject(call)) this.#queue.call(call, () => `call_${this.#newId()}`);
  }

  /** The complete pieces since the last call. */
  take(): MessagePiece[] {
    return this.#queue.take<MessagePiece>(
      (piece) => [piece],
      (call) => this.#encodeCall(call),
    );
  }

  end(): void {
    this.#queue.end();
  }

  #say(text: string): void {
    if (text !== '') this.#queue.add({ content: text });
  }

  /** For audio, the transcript. */
  #hear({ transcript }: JsonObject): void {
    this.#lost.once('audio');
    this.#say(stringOf(transcript) ?? '');
  }

  #show(url: string): void {
    const image = bareImage(url);
    if (image === undefined) this.#lost.add('image');
    else this.#queue.add({ images: [image] });
  }

  /** A call with truncated arguments cannot be executed: the done reason tells why. */
  #encodeCall({ id, name, args }: WholeCall): MessagePiece[] {
    if (args === undefined) return [];
    const index = this.#calls;
    this.#calls += 1;
    return [{ tool_calls: [{ id, function: { index, name, arguments: args } }] }];
  }
}

/** Joins consecutive pieces to one message. */
export function together(
  pieces: readonly MessagePiece[],
): Required<Pick<MessagePiece, 'content'>> & MessagePiece {
  const text = (name: 'content' | 'thinking') => pieces.map((piece) => piece[name] ?? '').join('');
  const images = pieces.flatMap((piece) => piece.images ?? []);
  const calls = pieces.flatMap((piece) => piece.tool_calls ?? []);
  const thinking = text('thinking');
  return {
    content: text('content'),
    ...(thinking === '' ? {} : { thinking }),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** The text of a delta; some vendors send it in parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
