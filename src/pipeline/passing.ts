import type { Assembler } from '../wire/openai/assemble.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { Verdict } from '../wire/shapes/events.ts';
import type { JsonObject } from '../wire/json.ts';
import { messageAssembler } from '../wire/anthropic/assemble.ts';
import { chatAssembler, completionAssembler } from '../wire/openai/assemble.ts';
import { EVENT_JUDGES } from '../wire/shapes/events.ts';
import { responseAssembler } from '../wire/responses/assemble.ts';

/** What a stream of an endpoint looks like as it passes by. */
export interface Passing {
  readonly assembler: () => Assembler;
  /** Whether an event has the shape that the endpoint's protocol gives it. */
  readonly verdict: (event: JsonObject) => Verdict;
  /** Whether an event is the last one of a complete stream. */
  readonly isLast: (event: JsonObject) => boolean;
  /** What a complete stream ends with, for those that left it out. */
  readonly terminator: string;
}

const CHAT: Passing = {
  assembler: chatAssembler,
  verdict: EVENT_JUDGES.chat,
  isLast: () => false,
  terminator: 'data: [DONE]\n\n',
};

const MESSAGES: Passing = {
  assembler: messageAssembler,
  verdict: EVENT_JUDGES.messages,
  isLast: ({ type }) => type === 'message_stop',
  terminator: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
};

const RESPONSES: Passing = {
  assembler: responseAssembler,
  verdict: EVENT_JUDGES.responses,
  isLast: ({ type }) => type === 'response.completed' || type === 'response.incomplete',
  terminator: '',
};

const PASSING: Partial<Record<Endpoint, Passing>> = {
  chat: CHAT,
  completions: { ...CHAT, assembler: completionAssembler },
  messages: MESSAGES,
  responses: RESPONSES,
};

export function passingOf(endpoint: Endpoint): Passing {
  return PASSING[endpoint] ?? CHAT;
}
