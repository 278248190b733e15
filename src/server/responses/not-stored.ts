import type { Client } from '../client.ts';
import { ProxyError } from '../../errors.ts';

/** What providers may have stored. */
export type StoredKind = 'responses' | 'conversations' | 'interactions';

/** Nothing with this id is stored here. A provider may have it. */
export class NotHere extends ProxyError {
  readonly of: StoredKind;
  readonly id: string;

  constructor(of: StoredKind, id: string, message?: string) {
    const what = { responses: 'Response', conversations: 'Conversation', interactions: 'Interaction' }[of];
    super('not_stored', message ?? `${what} with id '${id.slice(0, 100)}' not found.`);
    this.of = of;
    this.id = id;
  }
}

/** The error for a missing response, in OpenAI's words. @param param the field that refers to it */
export function notStored(what: string, id: string, param?: string): ProxyError {
  return new ProxyError('not_stored', `${what} with id '${id.slice(0, 100)}' not found.`, { param });
}

/** The owner whose stored responses a caller may see. */
export function ownerOf({ key }: Pick<Client, 'key'>): string {
  return key ?? '';
}
