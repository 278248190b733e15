import type { WebSocketHandler } from 'bun';
import type { SocketHandler } from './context.ts';

/** How long a client may be silent, seconds: Bun sends a ping before that. */
const SILENT_SECONDS = 60;

/** The default limit for a message, bytes. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** Bun.serve's WebSocket handler: each socket has an object of its own. @param maxMessage the largest message, bytes */
export function sockets(maxMessage = MAX_MESSAGE): WebSocketHandler<SocketHandler> {
  return {
    // A client that sends more is closed with 1009.
    maxPayloadLength: maxMessage,
    idleTimeout: SILENT_SECONDS,
    sendPings: true,
    // Above this Bun drops messages. Senders wait as soon as anything is queued, so that one message always fits.
    backpressureLimit: 2 * maxMessage,
    closeOnBackpressureLimit: true,
    perMessageDeflate: false,
    open: (socket) => socket.data.opened(socket),
    message: (socket, message) => socket.data.message(message),
    drain: (socket) => socket.data.drained(),
    close: (socket, code, reason) => socket.data.closed(code, reason),
  };
}
