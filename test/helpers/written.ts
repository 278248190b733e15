import type { ChatChunk } from '../../src/wire/chat.ts';
import type { ChatWriter } from '../../src/wire/protocol.ts';
import { atOnce } from '../../src/turns.ts';
import { streamInSteps } from '../../src/wire/long-events.ts';

/** A whole stream in the client's protocol, as text. */
export function streamOf(chunks: readonly ChatChunk[], writer: ChatWriter): string {
  return new TextDecoder().decode(atOnce(streamInSteps(chunks, writer)));
}
