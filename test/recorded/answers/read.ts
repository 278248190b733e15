/** Reads the content of a recorded body, by its protocol. */
import type { Api, Recorded } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Said } from './said.ts';
import { textOf } from '../read/exchange.ts';
import { exactFrames } from '../read/frames.ts';
import { exactJson, isObject, objectOf } from '../read/json.ts';
import { chatStream, chatWhole } from './chat.ts';
import { cohereStream, cohereWhole } from './cohere.ts';
import { converseStream, converseWhole } from './converse.ts';
import { geminiSaid } from './gemini.ts';
import { messagesStream, messagesWhole } from './messages.ts';
import { responsesStream, responsesWhole } from './responses.ts';

type Body = Pick<Recorded, 'headers' | 'body'>;

const WHOLE: Readonly<Record<Api, (value: Json) => Said>> = {
  chat: chatWhole,
  messages: messagesWhole,
  responses: responsesWhole,
  gemini: (value) => geminiSaid([value]),
  converse: converseWhole,
  cohere: cohereWhole,
};

const STREAMED: Readonly<Record<Api, (events: readonly Json[]) => Said>> = {
  chat: chatStream,
  messages: messagesStream,
  responses: responsesStream,
  gemini: geminiSaid,
  converse: converseStream,
  cohere: cohereStream,
};

/** Whether an answer is a stream. */
export function isStream({ headers, body }: Body): boolean {
  const type = headers.get('content-type') ?? '';
  // AWS frames begin with their length.
  if (body[0] === 0) return true;
  if (/event-stream|eventstream/.test(type)) return true;
  return /^\s*(?:event:|data:|:)/.test(textOf(body.subarray(0, 40)));
}

/** The values of a stream's events. */
export function eventsOf(body: Uint8Array, api: Api): Json[] {
  if (api === 'converse') return exactFrames(body);
  return textOf(body)
    .split(/\r?\n\r?\n/)
    .map((block) =>
      block
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n'),
    )
    .map((data) => exactJson(data))
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isObject);
}

/** @throws Error for a part of an unknown kind */
export function saidIn(recorded: Body, api: Api): Said {
  if (!isStream(recorded)) return WHOLE[api](objectOf(exactJson(textOf(recorded.body))));
  const said = STREAMED[api](eventsOf(recorded.body, api));
  // Some hosts end a stream with its terminator and omit the finish reason.
  if (api === 'chat' && /^data: ?\[DONE\]\s*$/m.test(textOf(recorded.body))) said.ended = true;
  return said;
}

/** Reads an object that a client's library made from an answer. */
export function saidByLibrary(value: unknown, api: Api): Said {
  return Array.isArray(value) ? STREAMED[api](value as Json[]) : WHOLE[api](value as Json);
}
