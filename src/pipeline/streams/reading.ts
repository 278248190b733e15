import type { Encoding } from '../../wire/encoding.ts';
import type { Defects } from './defects.ts';
import { ProxyError } from '../../errors.ts';
import { networkError } from '../../providers/transport.ts';

/** Successful statuses without an answer, or with a part that was not requested. */
const WITHOUT_ANSWER: ReadonlySet<number> = new Set([204, 205, 206]);

/** Why a response cannot be passed on, whatever it contains; `undefined` when it can. Servers may send any three digits. */
export function invalidStatus(status: number): string | undefined {
  return status < 200 || status > 599 ? `its status ${status} is not a valid HTTP status` : undefined;
}

/** Why a response cannot be an answer, whatever it contains; `undefined` when it can. */
export function statusFlaw(status: number): string | undefined {
  const invalid = invalidStatus(status);
  if (invalid !== undefined) return invalid;
  return WITHOUT_ANSWER.has(status)
    ? `its status ${status} means an incomplete or missing answer`
    : undefined;
}

/** The error thrown while a body was read: a broken connection, or an error of a plugin. */
export function brokenBy(target: string, cause: unknown): ProxyError {
  return cause instanceof ProxyError ? cause : networkError(target, cause);
}

/**
 * The error thrown while an answer was read or translated, as a typed error. In any case the answer is unreadable; an
 * unexpected error is also a defect of the proxy, which is reported to the operator.
 */
export function unread(target: string, defects: Defects, thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  defects.tell('Cannot read an answer', thrown);
  const message = `Cannot read the answer of ${target}: this proxy does not understand it`;
  return new ProxyError('malformed', message, { target, cause: thrown });
}

/** Runs a step of reading an answer. @throws ProxyError */
export function understood<T>(target: string, defects: Defects, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    throw unread(target, defects, thrown);
  }
}

/** Runs a step of reading an answer that takes several turns. @throws ProxyError */
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

/** Whether a client with this `accept-encoding` can decode the encoding. */
export function accepts(header: string | undefined, encoding: Encoding): boolean {
  const name = encoding === 'x-gzip' ? 'gzip' : encoding;
  return (header ?? '').split(',').some((item) => {
    const [given = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && (given === name || given === encoding);
  });
}
