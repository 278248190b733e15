/** Close codes of WebSockets. @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
export const CLOSE = {
  normal: 1000,
  /** The server is being stopped, or the page is left. */
  goingAway: 1001,
  protocol: 1002,
  /** Nobody gave a code. It is never sent. */
  none: 1005,
  /** The connection ended without a word. It is never sent. */
  abnormal: 1006,
  notText: 1007,
  policy: 1008,
  tooLarge: 1009,
  internal: 1011,
  restarts: 1012,
  tryLater: 1013,
} as const;

/** Longest reason that a close frame holds, bytes. */
const MAX_REASON = 123;

/** Whether a code may stand in a close frame. */
export function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== CLOSE.none && code !== CLOSE.abnormal;
}

/** A reason that fits into a close frame: whole characters of it, as many as there is room for. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON) return reason;
  const bytes = Buffer.from(reason).subarray(0, MAX_REASON);
  // What is left of a character that was cut in two is dropped.
  return bytes.toString().replace(/\uFFFD+$/, '');
}
