/** Vendors' restrictions on the messages of a chat: names of roles, and the position of system messages. */
import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/** The restrictions of a vendor. */
export interface MessageFacts {
  /** Replacements for roles that it does not know. */
  readonly roles?: Readonly<Record<string, string>> | undefined;
  /** Whether system messages after the first turn are rejected: they are converted to user messages. */
  readonly systemFirst?: true | undefined;
}

const INSTRUCTING: ReadonlySet<unknown> = new Set(['system', 'developer']);

/** The messages in the form that the vendor accepts; `undefined` when no change is needed. */
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
