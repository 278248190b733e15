import type { z } from 'zod';
import type { JsonObject } from '../../../src/wire/json.ts';
import { framesOf } from '../grammar/frames.ts';
import { chunk } from './chat.ts';
import { geminiAnswer, geminiError } from './gemini.ts';
import { messageStreamEvent } from './messages.ts';
import { publishedProblems } from './problems.ts';
import { responseStreamEvent } from './responses.ts';

const EVENTS = {
  chat: chunk,
  messages: messageStreamEvent,
  responses: responseStreamEvent,
  gemini: geminiAnswer,
} as const satisfies Record<string, z.ZodType>;

/** The problems of the events of a stream that the proxy made, according to its protocol's published schemas. */
export function publishedStreamProblems(protocol: keyof typeof EVENTS, sse: string): string[] {
  const schema = EVENTS[protocol];
  return framesOf(sse, []).flatMap(({ data, value }) => {
    // No schema describes the end of a chat stream, or its errors.
    if (protocol === 'chat' && (data === '[DONE]' || isError(value))) return [];
    const told = protocol === 'gemini' && isError(value) ? geminiError : schema;
    return publishedProblems(told, value).map((problem) => `${data.slice(0, 200)}: ${problem}`);
  });
}

function isError(value: JsonObject | undefined): boolean {
  return value !== undefined && 'error' in value;
}
