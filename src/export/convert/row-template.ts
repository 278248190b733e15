import type { PlainChat, PlainMessage } from '../read/plain-chat.ts';

/** The placeholder for the text of a message, by its index. No format interprets it. */
export function placeholder(number: number): string {
  return `${MARK}${number}${MARK}`;
}

/** A private use character. */
const MARK = '\uE000';
const PLACEHOLDERS = new RegExp(`${MARK}(\\d+)${MARK}`);

/** A row without its texts: the parts before, between and after them. */
export class RowTemplate {
  readonly #pieces: readonly Buffer[];
  /** The index of the message whose text follows each part, except the last one. */
  readonly #texts: readonly number[];
  readonly #length: number;

  /** @param row with placeholders instead of texts */
  constructor(row: string) {
    const parts = row.split(PLACEHOLDERS);
    this.#pieces = parts.filter((_, index) => index % 2 === 0).map((piece) => Buffer.from(piece));
    this.#texts = parts.filter((_, index) => index % 2 === 1).map(Number);
    this.#length = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** The bytes of the row for a chat. */
  size(chat: PlainChat): number {
    return this.#texts.reduce((sum, number) => sum + sizeOf(messageOf(chat, number)), this.#length);
  }

  /** Writes the row for a chat. @returns the end position */
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

/** A row as a template, and the texts to insert. */
export interface TemplateRow {
  readonly template: RowTemplate;
  readonly chat: PlainChat;
  /** The block that contains the texts of the chat. */
  readonly block: Buffer;
}

function messageOf({ prompt, answer }: PlainChat, number: number): PlainMessage {
  return prompt[number] ?? answer;
}

function sizeOf({ from, to }: PlainMessage): number {
  return to - from;
}
