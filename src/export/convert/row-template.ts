import type { PlainChat, PlainMessage } from '../read/plain-chat.ts';

/** Stands in the place of the text of a message, by its number. No format looks into it. */
export function placeholder(number: number): string {
  return `${MARK}${number}${MARK}`;
}

/** A character for private use. */
const MARK = '\uE000';
const PLACEHOLDERS = new RegExp(`${MARK}(\\d+)${MARK}`);

/** A row whose texts are still to come: what stands before, between and behind them. */
export class RowTemplate {
  readonly #pieces: readonly Buffer[];
  /** The number of the message whose text stands behind each piece, but for the last one. */
  readonly #texts: readonly number[];
  readonly #length: number;

  /** @param row with placeholders instead of texts */
  constructor(row: string) {
    const parts = row.split(PLACEHOLDERS);
    this.#pieces = parts.filter((_, index) => index % 2 === 0).map((piece) => Buffer.from(piece));
    this.#texts = parts.filter((_, index) => index % 2 === 1).map(Number);
    this.#length = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** The bytes of the row of a chat. */
  size(chat: PlainChat): number {
    return this.#texts.reduce((sum, number) => sum + sizeOf(messageOf(chat, number)), this.#length);
  }

  /** Writes the row of a chat. @returns the place behind it */
  write(memory: Buffer, start: number, { chat, block }: TemplateRow): number {
    let at = start;
    for (let index = 0; index < this.#texts.length; index++) {
      at += this.#pieces[index]!.copy(memory, at);
      const { from, to } = messageOf(chat, this.#texts[index]!);
      at += block.copy(memory, at, from, to);
    }
    return at + this.#pieces.at(-1)!.copy(memory, at);
  }
}

/** A row as a template, and what is put into it. */
export interface TemplateRow {
  readonly template: RowTemplate;
  readonly chat: PlainChat;
  /** It holds the texts of the chat. */
  readonly block: Buffer;
}

function messageOf({ prompt, answer }: PlainChat, number: number): PlainMessage {
  return prompt[number] ?? answer;
}

function sizeOf({ from, to }: PlainMessage): number {
  return to - from;
}
