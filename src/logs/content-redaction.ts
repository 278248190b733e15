/** Removes secrets and personal data from the content of requests and answers before it is logged. */
import type { RedactKind } from '../config/redact-kinds.ts';
import type { LogRecord } from './record.ts';
import { Redactor } from '../redact/redactor.ts';

export class ContentRedaction {
  readonly #redactor: Redactor;

  constructor(kinds: readonly RedactKind[]) {
    this.#redactor = new Redactor({ kinds, custom: [], mode: 'tag', salt: '' });
  }

  /**
   * The record with each finding replaced by a tag such as `[EMAIL_1]`, numbered within the record. The request is
   * processed first, from its beginning, so that a value keeps its tag in every turn of a conversation.
   * @throws Error when the content cannot be processed completely; none of it may be kept then
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
