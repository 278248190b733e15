import type { SocketMessage } from '../../providers/base.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { RealtimeProtocol } from '../../wire/realtime/protocol.ts';
import { geminiLive } from '../../wire/realtime/gemini.ts';
import { openaiRealtime } from '../../wire/realtime/openai.ts';

/** The protocol of a WebSocket endpoint. */
export function protocolOf(endpoint: Endpoint): RealtimeProtocol {
  return endpoint === 'realtime.live' ? geminiLive : openaiRealtime;
}

/** A message as text: Google's servers send JSON as bytes. */
export function textOf(message: SocketMessage): string {
  return typeof message === 'string' ? message : Buffer.from(message).toString();
}

export function bytesOf(message: SocketMessage): number {
  return typeof message === 'string' ? Buffer.byteLength(message) : message.length;
}
