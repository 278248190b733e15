/** Takes secrets and personal data out of what people and models wrote, before it reaches the log. */
import type { RedactKind } from '../config/redact-kinds.ts';
import type { LogRecord } from './record.ts';
import { Redactor } from '../redact/redactor.ts';

export class ContentRedaction {
  readonly #redactor: Redactor;

  constructor(kinds: readonly RedactKind[]) {
    this.#redactor = new Redactor({ kinds, custom: [], mode: 'tag', salt: '' });
  }

  /**
   * The record with tags such as `[EMAIL_1]` in the place of what was found, numbered within the record. The request is
   * read first, and from its beginning: a value has the same tag in every turn of a conversation.
   * @throws Error when it cannot be read to its end; then nothing of the content may be kept
   */
  redact(record: LogRecord): LogRecord {
    const { request, response, error, feedback } = record;
    this.#redactor.fresh();
    const text = (json: string | undefined) => (json === undefined ? undefined : this.#redactor.json(json));
    return {
      ...record,
      request: text(request),
      response: text(response),
      error: error === null ? null : this.#redactor.text(error),
      feedback: feedback && (this.#redactor.value(feedback) as LogRecord['feedback']),
    };
  }
}
