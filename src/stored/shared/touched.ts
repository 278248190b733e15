import type { BackgroundEnd, KeptResponse, Owner, QueuedResponse } from '../entries.ts';
import type { TableName } from '../messages.ts';
import type { Entity } from './entity.ts';

/** What a call is about. */
export interface Touched {
  readonly entities: readonly Entity[];
  /** Whether only this replica changes it so: what is here need not be looked at again. */
  readonly isOwn?: boolean;
  /** Of a response: whether all before it is read too, or the conversation that it is part of. */
  readonly with?: 'previous' | 'conversation' | undefined;
  /** Whether what is deleted by it is to be deleted everywhere. */
  readonly removes?: boolean;
}

const response = (owner: Owner, id: string): Entity => ({ kind: 'response', owner, id });
const conversation = (owner: Owner, id: string): Entity => ({ kind: 'conversation', owner, id });

/** @param given what the call is given: first whose it is and which, in nearly all of them */
export function touchedBy(table: TableName, name: string, given: readonly unknown[]): Touched {
  const [owner, id] = given as [Owner, string];
  switch (`${table}.${name}`) {
    case 'responses.keep':
    case 'background.queue': {
      const { owner: whose, conversation: of } = given[0] as KeptResponse | QueuedResponse;
      return { entities: of === undefined ? [] : [conversation(whose, of)] };
    }
    case 'background.end': {
      const end = given[0] as BackgroundEnd;
      return { entities: [response(end.owner, end.id)], with: 'conversation' };
    }
    case 'background.beat':
      return { entities: (given[0] as [Owner, string][]).map(([whose, which]) => response(whose, which)) };
    case 'background.addEvents':
      return { entities: [response(owner, id)], isOwn: true };
    case 'responses.chain':
    case 'responses.inputs':
    case 'responses.inputsText':
      return { entities: [response(owner, id)], with: 'previous' };
    case 'responses.size':
    case 'responses.sweep':
      return { entities: [] };
    case 'conversations.create':
    case 'conversations.createFrom':
      return { entities: [] };
    default:
      return {
        entities: [table === 'conversations' ? conversation(owner, id) : response(owner, id)],
        removes: name === 'remove',
      };
  }
}
