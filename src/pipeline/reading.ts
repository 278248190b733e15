import type { Encoding } from '../wire/encoding.ts';
import type { Defects } from './defects.ts';
import { ProxyError } from '../errors.ts';
import { networkError } from '../providers/transport.ts';

/** Statuses that promise an answer and bring none, or a part of one that was not asked for. */
const WITHOUT_ANSWER: ReadonlySet<number> = new Set([204, 205, 206]);

/** Why a reply cannot be an answer whatever it holds; `undefined` when it can. Servers may send any three digits. */
export function statusFlaw(status: number): string | undefined {
  if (status < 200 || status > 599) return `its status ${status} is none of HTTP`;
  return WITHOUT_ANSWER.has(status) ? `its status ${status} brings no whole answer` : undefined;
}

/** What the body of an answer threw while it was read: a connection that broke, or what a plugin had to say. */
export function brokenBy(target: string, cause: unknown): ProxyError {
  return cause instanceof ProxyError ? cause : networkError(target, cause);
}

/**
 * What reading or translating an answer threw, as an error. Whatever it is, the answer cannot be read; what was not
 * foreseen is also a defect of ours, which the operator is told of.
 */
export function unread(target: string, defects: Defects, thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  defects.tell('Cannot read an answer', thrown);
  const message = `Cannot read the answer of ${target}: this proxy does not understand it`;
  return new ProxyError('malformed', message, { target, cause: thrown });
}

/** Does a piece of reading an answer. @throws ProxyError */
export function understood<T>(target: string, defects: Defects, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    throw unread(target, defects, thrown);
  }
}

/** Does a piece of reading an answer that takes some turns. @throws ProxyError */
export async function understoodLater<T>(
  target: string,
  defects: Defects,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw unread(target, defects, thrown);
  }
}

/** Whether a client that sent this `accept-encoding` can read the encoding. */
export function accepts(header: string | undefined, encoding: Encoding): boolean {
  const name = encoding === 'x-gzip' ? 'gzip' : encoding;
  return (header ?? '').split(',').some((item) => {
    const [given = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && (given === name || given === encoding);
  });
}
