import type { ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Lost } from '../parts/lost.ts';
import type { Annotation, Part } from '../parts/part.ts';
import type { WholeCall } from '../parts/whole-calls.ts';
import { sealedSignature } from '../gemini/client-seals.ts';
import { typeAt } from '../gemini/parts.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { annotationsIn } from '../parts/assemble.ts';
import { signatureIn } from '../parts/issued.ts';
import { wholeParts } from '../parts/part-list.ts';
import { WholeCalls } from '../parts/whole-calls.ts';

/** A piece of an answer: one step or a part of one. */
export type Piece =
  /** Of a `thought`: continues its summary. */
  | { readonly kind: 'summary'; readonly text: string }
  /** Of a `thought`: what must be sent back with it, which ends it. */
  | { readonly kind: 'signature'; readonly signature: string }
  /** Of a `model_output`: continues its text. */
  | { readonly kind: 'text'; readonly text: string }
  /** Of a `model_output`: the sources of its text. */
  | { readonly kind: 'annotation'; readonly annotation: JsonObject }
  /** Of a `model_output`: content that is sent whole. */
  | { readonly kind: 'content'; readonly content: JsonObject }
  /** A `function_call`. */
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly args: JsonObject };

export interface PieceOptions {
  /** Whether the client requested thoughts. */
  readonly thoughts: boolean;
  readonly newId: () => string;
  readonly lost: Lost;
}

const DATA = /^data:([^;,]+)(?:;[^;,]*)*?;base64,/;

/** Encodes an answer as pieces of steps, in order; a call is emitted when it is complete. */
export class Pieces {
  readonly #options: PieceOptions;
  readonly #calls = new WholeCalls<Piece>();
  /** The whole text so far, and where the current text began in it. */
  #text: string;
  #from: number;

  /** @param begun the text that the client has already received */
  constructor(options: PieceOptions, begun = '') {
    this.#options = options;
    this.#text = begun;
    this.#from = 0;
  }

  read(delta: ChatDelta): void {
    const { reasoning_content: thought, content, refusal, audio } = delta;
    if (typeof thought === 'string' && thought !== '' && this.#options.thoughts)
      this.#add({ kind: 'summary', text: thought });
    for (const seal of listOf(delta.thinking_blocks))
      if (isObject(seal)) this.#add({ kind: 'signature', signature: sealedSignature([seal]) });
    const signature = signatureIn(delta.extra_content);
    if (signature !== undefined) this.#add({ kind: 'signature', signature });
    this.#say(textOf(content));
    for (const note of annotationsIn(delta)) this.#cite(note);
    if (isObject(audio)) this.#hear(audio);
    for (const part of wholeParts(delta.parts)) this.#whole(part);
    this.#say(stringOf(refusal) ?? '');
    for (const call of listOf(delta.tool_calls)) if (isObject(call)) this.#call(call);
  }

  /** The complete pieces since the last call. */
  take(): Piece[] {
    return this.#calls.take<Piece>(
      (piece) => [piece],
      (call) => this.#encodeCall(call),
    );
  }

  /** Ends the answer. */
  end(): void {
    this.#calls.end();
  }

  #add(piece: Piece): void {
    // Text after anything else begins a new text.
    if (piece.kind !== 'text' && piece.kind !== 'annotation') this.#from = this.#text.length;
    this.#calls.add(piece);
  }

  #say(text: string): void {
    if (text === '') return;
    this.#add({ kind: 'text', text });
    this.#text += text;
  }

  /** Positions count the bytes of the text that they are in. */
  #cite(note: Annotation): void {
    if (note.type !== 'url_citation') return this.#options.lost.add('citation');
    const { url, title, start_index: start, end_index: end } = note.url_citation;
    const inText = start >= this.#from && end <= this.#text.length && end > start;
    const bytes = (place: number) => Buffer.byteLength(this.#text.slice(this.#from, place));
    const place = inText ? { start_index: bytes(start), end_index: bytes(end) } : {};
    this.#add({ kind: 'annotation', annotation: { type: 'url_citation', url, title, ...place } });
  }

  #hear({ data, transcript }: JsonObject): void {
    if (typeof data === 'string' && data !== '')
      this.#add({ kind: 'content', content: { type: 'audio', mime_type: 'audio/wav', data } });
    else this.#say(stringOf(transcript) ?? '');
  }

  #whole(part: Part): void {
    const { lost } = this.#options;
    if (part.type === 'hosted_call') return lost.add('hosted_tool');
    if (part.type !== 'image' && part.type !== 'file') return;
    const type = part.type === 'image' ? 'image' : 'document';
    const data = DATA.exec(part.url?.slice(0, 200) ?? '');
    const uri = part.url ?? (part.type === 'file' ? part.id : undefined);
    if (part.url !== undefined && data)
      this.#add({
        kind: 'content',
        content: { type, mime_type: data[1], data: part.url.slice(data[0].length) },
      });
    else if (uri === undefined) lost.add(part.type);
    else this.#add({ kind: 'content', content: { type, ...typed(uri), uri } });
  }

  #call(delta: JsonObject): void {
    const signature = signatureIn(delta.extra_content);
    if (signature !== undefined) this.#add({ kind: 'signature', signature });
    this.#from = this.#text.length;
    this.#calls.call(delta, () => `call_${this.#options.newId()}`);
  }

  /**
   * A call with truncated arguments cannot be executed: the status shows that something is missing.
   */
  #encodeCall({ id, name, args }: WholeCall): Piece[] {
    return args === undefined ? [] : [{ kind: 'call', id, name, args }];
  }
}

function typed(uri: string): { mime_type?: string } {
  const type = typeAt(uri);
  return type === undefined ? {} : { mime_type: type };
}

/** The text of a delta; some vendors send it in parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
