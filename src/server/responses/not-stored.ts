import { ProxyError } from '../../errors.ts';

/** What is not there, in OpenAI's words. @param param the field that named it */
export function notStored(what: string, id: string, param?: string): ProxyError {
  return new ProxyError('not_stored', `${what} with id '${id.slice(0, 100)}' not found.`, { param });
}
