/** What vendors demand of the messages of a chat: names of roles, and where instructions may stand. */
import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/** What a vendor demands of them. */
export interface MessageFacts {
  /** Other names for roles that it does not know. */
  readonly roles?: Readonly<Record<string, string>> | undefined;
  /** Instructions behind what was said first are refused: they become the user's words. */
  readonly systemFirst?: true | undefined;
}

const INSTRUCTING: ReadonlySet<unknown> = new Set(['system', 'developer']);

/** The messages as the vendor takes them; `undefined` when they serve as they are. */
export function fittingMessages(
  messages: unknown,
  { roles, systemFirst }: MessageFacts,
): unknown[] | undefined {
  if (!Array.isArray(messages) || (!roles && !systemFirst)) return undefined;
  let hasBegun = false;
  let isChanged = false;
  const fitting = (messages as unknown[]).map((message) => {
    if (!isObject(message)) return message;
    const role = roleFor(message, roles, systemFirst === true && hasBegun);
    hasBegun ||= !INSTRUCTING.has(message.role);
    if (role === message.role) return message;
    isChanged = true;
    return { ...message, role };
  });
  return isChanged ? fitting : undefined;
}

function roleFor({ role }: JsonObject, roles: MessageFacts['roles'], isLate: boolean): unknown {
  if (isLate && INSTRUCTING.has(role)) return 'user';
  return typeof role === 'string' && roles && Object.hasOwn(roles, role) ? roles[role] : role;
}
