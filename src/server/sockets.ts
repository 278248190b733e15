import type { WebSocketHandler } from 'bun';
import type { SocketHandler } from './context.ts';

/** How long a client may give no sign of life, seconds: Bun asks for one before that. */
const SILENT_SECONDS = 60;

/** Largest message where nobody says otherwise, bytes. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** How Bun.serve tells of WebSockets: each has a handler of its own. @param maxMessage largest message, bytes */
export function sockets(maxMessage = MAX_MESSAGE): WebSocketHandler<SocketHandler> {
  return {
    // A client that sends more is closed with 1009.
    maxPayloadLength: maxMessage,
    idleTimeout: SILENT_SECONDS,
    sendPings: true,
    // Beyond this Bun drops what is sent. Whoever sends waits as soon as anything waits, so that there is room for one message.
    backpressureLimit: 2 * maxMessage,
    closeOnBackpressureLimit: true,
    perMessageDeflate: false,
    open: (socket) => socket.data.opened(socket),
    message: (socket, message) => socket.data.message(message),
    drain: (socket) => socket.data.drained(),
    close: (socket, code, reason) => socket.data.closed(code, reason),
  };
}
