import type { PlainChat, PlainMessage } from '../read/plain-chat.ts';
import type { Entry } from '../read/facts.ts';
import type { RejectReason } from '../errors.ts';
import { NO_FACTS } from '../read/facts.ts';
import { RejectError } from '../errors.ts';
import { FLAG } from './batch.ts';
import { placeholder, RowTemplate } from './row-template.ts';

/** The row for chats of one shape: its text without the messages' texts, and its flags. */
export interface ShapedRow {
  readonly template: RowTemplate;
  readonly flags: number;
}

/** The number of cached shapes: most logs have few, and long conversations have one each. */
const MAX_SHAPES = 256;
/** The longest chat whose row is made by a template, messages. */
const MAX_MESSAGES = 64;

/**
 * The rows of plain chats by shape, which is the sequence of roles. The row for a shape is determined once, from a chat
 * whose texts are placeholders.
 */
export class RowTemplates {
  readonly #make: (entry: Entry) => { readonly text: string; readonly flags: number };
  readonly #known = new Map<string, ShapedRow | RejectReason>();

  /** @param make renders the row of an entry; @throws RejectError */
  constructor(make: (entry: Entry) => { readonly text: string; readonly flags: number }) {
    this.#make = make;
  }

  /** @returns the reason why chats of this shape have no row; `undefined` for a chat that is too long for a template */
  of({ prompt }: PlainChat): ShapedRow | RejectReason | undefined {
    if (prompt.length > MAX_MESSAGES) return undefined;
    let shape = '';
    for (const { role } of prompt) shape += role[0];
    const known = this.#known.get(shape);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_SHAPES) this.#known.clear();
    const made = this.#shaped(prompt);
    this.#known.set(shape, made);
    return made;
  }

  #shaped(prompt: readonly PlainMessage[]): ShapedRow | RejectReason {
    const messages = prompt.map(({ role }, number) => ({ role, content: placeholder(number) }));
    const answer = { role: 'assistant', content: placeholder(prompt.length) };
    try {
      const { text, flags } = this.#make({ ...NO_FACTS, request: { messages }, answer, record: {} });
      return { template: new RowTemplate(text), flags: flags & (FLAG.unrendered | FLAG.omitted) };
    } catch (error) {
      if (error instanceof RejectError) return error.reason;
      throw error;
    }
  }
}
