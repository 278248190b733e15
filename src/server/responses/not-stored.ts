import { ProxyError } from '../../errors.ts';

/** Nothing with this id is stored here. A provider may have it. */
export class NotHere extends ProxyError {
  readonly of: 'responses' | 'conversations';
  readonly id: string;

  constructor(of: 'responses' | 'conversations', id: string, message?: string) {
    const what = of === 'responses' ? 'Response' : 'Conversation';
    super('not_stored', message ?? `${what} with id '${id.slice(0, 100)}' not found.`);
    this.of = of;
    this.id = id;
  }
}

/** The error for a missing response, in OpenAI's words. @param param the field that refers to it */
export function notStored(what: string, id: string, param?: string): ProxyError {
  return new ProxyError('not_stored', `${what} with id '${id.slice(0, 100)}' not found.`, { param });
}
