import type { BackgroundEnd, KeptResponse, Owner, QueuedResponse } from '../entries.ts';
import type { TableName } from '../messages.ts';
import type { Entity } from './entity.ts';

/** The entities that a call reads or changes. */
export interface Touched {
  readonly entities: readonly Entity[];
  /** Whether only this replica makes such changes, so that its copy is current. */
  readonly isOwn?: boolean;
  /** What else is read: all earlier responses, or the conversation of the response. */
  readonly with?: 'previous' | 'conversation' | undefined;
  /** Whether deletions apply to all replicas. Others only make room in the file. */
  readonly removes?: boolean;
}

const response = (owner: Owner, id: string): Entity => ({ kind: 'response', owner, id });
const conversation = (owner: Owner, id: string): Entity => ({ kind: 'conversation', owner, id });

/** @param given the arguments of the call, which usually begin with an owner and an id */
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
