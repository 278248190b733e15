/** Close codes of WebSockets. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
export const CLOSE = {
  normal: 1000,
  /** The server is being stopped, or the user has left the page. */
  goingAway: 1001,
  protocol: 1002,
  /** No code was given. It is never sent. */
  none: 1005,
  /** The connection ended without a close frame. It is never sent. */
  abnormal: 1006,
  notText: 1007,
  policy: 1008,
  tooLarge: 1009,
  internal: 1011,
  restarts: 1012,
  tryLater: 1013,
} as const;

/** The longest reason that fits into a close frame, bytes. */
const MAX_REASON = 123;

/** Whether a close frame may contain a code. */
export function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== CLOSE.none && code !== CLOSE.abnormal;
}

/** A reason that fits into a close frame, cut after a whole character. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON) return reason;
  const bytes = Buffer.from(reason).subarray(0, MAX_REASON);
  // The remainder of a character that was cut is dropped.
  return bytes.toString().replace(/\uFFFD+$/, '');
}
