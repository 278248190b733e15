import type { Assembler } from '../../wire/assembler.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Ending } from '../../wire/endings.ts';
import type { Verdict } from '../../wire/shapes/events.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Quirks } from '../../wire/quirks.ts';
import { messageAssembler } from '../../wire/anthropic/assemble.ts';
import { endingOf, fails } from '../../wire/endings.ts';
import { contentAssembler } from '../../wire/gemini/assemble.ts';
import { interactionAssembler } from '../../wire/interactions/assemble.ts';
import { finishOf } from '../../wire/interactions/status.ts';
import { listOf, objectOf } from '../../wire/json.ts';
import { lineAssembler } from '../../wire/ollama/assemble.ts';
import { ollamaFinish } from '../../wire/ollama/response.ts';
import { chatAssembler, completionAssembler } from '../../wire/openai/assemble.ts';
import { answerFlaw } from '../../wire/shapes/answers.ts';
import { EVENT_JUDGES, judgeInteraction } from '../../wire/shapes/events.ts';
import { responseAssembler } from '../../wire/responses/assemble.ts';
import { responseEnding } from '../../wire/responses/response.ts';

/** The structure of an endpoint's stream. */
export interface Passing {
  readonly assembler: () => Assembler;
  /** The ending in an event, if it is a fault: the event is then not passed on. */
  readonly failure: (event: JsonObject) => Ending | undefined;
  /** Whether an event is valid in the endpoint's protocol. */
  readonly verdict: (event: JsonObject) => Verdict;
  /** Whether an event is the last one of a complete stream. */
  readonly isLast: (event: JsonObject) => boolean;
  /** The terminator of a complete stream, for servers that omit it. */
  readonly terminator: string;
  /** Whether some servers send `[DONE]` after the last event, as in chat. */
  readonly mayTerminate?: true;
}

/** The same for any vendor. */
type Kind = Omit<Passing, 'assembler'> & { readonly assembler: (quirks: Quirks) => Assembler };

const CHAT: Kind = {
  assembler: chatAssembler,
  failure({ choices }) {
    for (const choice of listOf(choices)) {
      const ending = endingOf('chat', objectOf(choice).finish_reason);
      if (fails(ending)) return ending;
    }
    return undefined;
  },
  verdict: EVENT_JUDGES.chat,
  isLast: () => false,
  terminator: 'data: [DONE]\n\n',
};

const MESSAGES: Kind = {
  assembler: messageAssembler,
  failure({ type, delta }) {
    const ending = type === 'message_delta' ? endingOf('messages', objectOf(delta).stop_reason) : undefined;
    return fails(ending) ? ending : undefined;
  },
  verdict: EVENT_JUDGES.messages,
  isLast: ({ type }) => type === 'message_stop',
  terminator: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
};

const RESPONSES: Kind = {
  assembler: responseAssembler,
  verdict: EVENT_JUDGES.responses,
  failure({ type, response }) {
    // One with a reason was already handled as the error that it reports.
    const word =
      type === 'response.failed' ? 'failed' : type === 'response.cancelled' ? 'cancelled' : undefined;
    const ending = isEnd(type) ? responseEnding(objectOf(response)) : endingOf('responses', word);
    return fails(ending) ? ending : undefined;
  },
  isLast: ({ type }) => isEnd(type),
  terminator: '',
  // OpenRouter does.
  mayTerminate: true,
};

function isEnd(type: unknown): boolean {
  return type === 'response.completed' || type === 'response.incomplete';
}

const GEMINI: Kind = {
  assembler: contentAssembler,
  failure({ candidates }) {
    for (const candidate of listOf(candidates)) {
      const ending = endingOf('gemini', objectOf(candidate).finishReason);
      if (fails(ending)) return ending;
    }
    return undefined;
  },
  verdict: EVENT_JUDGES.gemini,
  isLast: () => false,
  // The stream has no terminator.
  terminator: '',
};

const OLLAMA: Kind = {
  assembler: lineAssembler,
  failure(line) {
    const ending = endingOf('chat', ollamaFinish(line, false));
    return fails(ending) ? ending : undefined;
  },
  verdict: (line) => (answerFlaw('ollama line', line) === undefined ? 'sound' : 'odd'),
  isLast: ({ done }) => done === true,
  terminator: '',
};

const INTERACTIONS: Kind = {
  assembler: interactionAssembler,
  failure({ event_type: type, interaction }) {
    if (type !== 'interaction.completed') return undefined;
    const ending = endingOf('chat', finishOf(objectOf(interaction).status, false));
    return fails(ending) ? ending : undefined;
  },
  verdict: judgeInteraction,
  isLast: ({ event_type: type }) => type === 'interaction.completed',
  terminator: '',
  mayTerminate: true,
};

const PASSING: Partial<Record<Endpoint, Kind>> = {
  chat: CHAT,
  completions: { ...CHAT, assembler: completionAssembler },
  messages: MESSAGES,
  responses: RESPONSES,
  gemini: GEMINI,
  'gemini.interactions': INTERACTIONS,
  'ollama.chat': OLLAMA,
  'ollama.generate': OLLAMA,
};

/** @param quirks of the provider whose events are passed on */
export function passingOf(endpoint: Endpoint, quirks: Quirks = {}): Passing {
  const kind = PASSING[endpoint] ?? CHAT;
  return { ...kind, assembler: () => kind.assembler(quirks) };
}
