/**
 * The finish reasons of all providers. A reason that is in no row is unknown: it is passed on to the client, and the
 * answer does not count as a success.
 */
import type { ProtocolName } from './protocol.ts';
import { ProxyError } from '../errors.ts';

/** A finish reason that the client receives in its own protocol. */
type Finish = 'stop' | 'length' | 'content_filter' | 'tool_calls';
/** A finish reason that is a fault: of the model, or of the server that runs it. */
type Failure = 'failed_generation' | 'server' | 'overloaded';

type Row = Readonly<Record<string, Finish | Failure>>;

/** By the provider's protocol. */
export const ENDINGS: Readonly<Record<ProtocolName, Row>> = {
  /** @see https://platform.openai.com/docs/api-reference/chat/object */
  chat: {
    stop: 'stop',
    length: 'length',
    tool_calls: 'tool_calls',
    function_call: 'tool_calls',
    content_filter: 'content_filter',
    // Together, and Hugging Face's servers.
    eos: 'stop',
    eos_token: 'stop',
    end: 'stop',
    // watsonx: the time limit was reached.
    time_limit: 'length',
    // Mistral; OpenRouter and vLLM use `error` as well.
    model_length: 'length',
    error: 'server',
    // vLLM and SGLang: the engine aborted the request.
    abort: 'server',
    // vLLM and Xiaomi: the server stopped a model that repeated itself.
    repetition: 'length',
    repetition_truncation: 'length',
    // DeepSeek.
    insufficient_system_resource: 'overloaded',
    // Z.ai.
    sensitive: 'content_filter',
    network_error: 'server',
  },
  /** @see https://docs.claude.com/en/api/handling-stop-reasons */
  messages: {
    end_turn: 'stop',
    stop_sequence: 'stop',
    pause_turn: 'stop',
    compaction: 'stop',
    max_tokens: 'length',
    model_context_window_exceeded: 'length',
    tool_use: 'tool_calls',
    refusal: 'content_filter',
  },
  /** The status of a response, or the reason why it is incomplete. */
  responses: {
    completed: 'stop',
    // Perplexity's spelling.
    complete: 'stop',
    incomplete: 'length',
    max_output_tokens: 'length',
    content_filter: 'content_filter',
    failed: 'server',
    cancelled: 'server',
    canceled: 'server',
  },
  /** @see https://ai.google.dev/api/generate-content#FinishReason */
  gemini: {
    STOP: 'stop',
    MAX_TOKENS: 'length',
    SAFETY: 'content_filter',
    RECITATION: 'content_filter',
    LANGUAGE: 'content_filter',
    BLOCKLIST: 'content_filter',
    PROHIBITED_CONTENT: 'content_filter',
    SPII: 'content_filter',
    MODEL_ARMOR: 'content_filter',
    JAILBREAK: 'content_filter',
    IMAGE_SAFETY: 'content_filter',
    IMAGE_PROHIBITED_CONTENT: 'content_filter',
    IMAGE_RECITATION: 'content_filter',
    MALFORMED_FUNCTION_CALL: 'failed_generation',
    MALFORMED_RESPONSE: 'failed_generation',
    UNEXPECTED_TOOL_CALL: 'failed_generation',
    TOO_MANY_TOOL_CALLS: 'failed_generation',
    MISSING_THOUGHT_SIGNATURE: 'failed_generation',
    NO_IMAGE: 'failed_generation',
    IMAGE_OTHER: 'failed_generation',
    OTHER: 'failed_generation',
    // The numeric values on which Google's two APIs agree: Vertex sends them to some clients.
    1: 'stop',
    2: 'length',
    3: 'content_filter',
    4: 'content_filter',
    5: 'failed_generation',
  },
  /** @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
  converse: {
    end_turn: 'stop',
    stop_sequence: 'stop',
    max_tokens: 'length',
    model_context_window_exceeded: 'length',
    tool_use: 'tool_calls',
    guardrail_intervened: 'content_filter',
    content_filtered: 'content_filter',
    malformed_model_output: 'failed_generation',
    malformed_tool_use: 'failed_generation',
  },
  /** @see https://docs.cohere.com/v2/reference/chat */
  cohere: {
    COMPLETE: 'stop',
    STOP_SEQUENCE: 'stop',
    MAX_TOKENS: 'length',
    TOOL_CALL: 'tool_calls',
    ERROR_LIMIT: 'length',
    ERROR_TOXIC: 'content_filter',
    ERROR: 'server',
    TIMEOUT: 'server',
    USER_CANCEL: 'server',
  },
};

/** How an answer ended. */
export interface Ending {
  /** In chat's words, or the provider's own if it is a fault. */
  readonly finish: string;
  /** The fault, if the answer did not end properly. */
  readonly fault?: Failure | 'unknown_ending';
}

/** Values that stand for no finish reason: the answer continues. */
const NONE: ReadonlySet<string> = new Set(['', 'null', 'finish_reason_unspecified', '0']);

/** The longest finish reason that is kept, characters. */
const MAX_WORD = 100;

/** Gateways write the reasons of others in lower case, or with dashes. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

type Meanings = ReadonlyMap<string, Finish | Failure>;

const MEANINGS = new Map<string, Meanings>(
  Object.entries(ENDINGS).map(([protocol, row]) => [
    protocol,
    new Map(Object.entries(row).map(([word, meaning]) => [plain(word), meaning])),
  ]),
);

/**
 * The meaning of a reason in a protocol, otherwise in any other one: gateways pass on the reasons of the providers
 * behind them.
 */
function meaningOf(protocol: ProtocolName, word: string): Finish | Failure | undefined {
  const own = MEANINGS.get(protocol)?.get(word);
  if (own) return own;
  for (const others of MEANINGS.values()) if (others.has(word)) return others.get(word);
  return undefined;
}

/** How an answer with this finish reason ends; `undefined` when it has not ended. */
export function endingOf(protocol: ProtocolName, given: unknown): Ending | undefined {
  if (typeof given !== 'string' && typeof given !== 'number') return undefined;
  const own = String(given).slice(0, MAX_WORD);
  // Nearly always it is spelled as expected.
  const word = MEANINGS.get(protocol)?.has(own) ? own : plain(own);
  if (NONE.has(word)) return undefined;
  const meaning = meaningOf(protocol, word);
  if (meaning === undefined) return { finish: own, fault: 'unknown_ending' };
  return isFailure(meaning) ? { finish: own, fault: meaning } : { finish: meaning };
}

/**
 * The finish reason in chat's words, or the provider's own if chat has none; `null` if there is none.
 * @param calls `tools` if the answer has calls that the client runs, after which some providers report that they
 *   stopped as after a text; `structured` if its only call carries the answer itself as the arguments of a tool that
 *   the client does not know
 */
export function finishReason(
  protocol: ProtocolName,
  given: unknown,
  calls?: 'tools' | 'structured' | false,
): string | null {
  const finish = endingOf(protocol, given)?.finish ?? null;
  if (calls === 'tools' && finish === 'stop') return 'tool_calls';
  return calls === 'structured' && finish === 'tool_calls' ? 'stop' : finish;
}

function isFailure(meaning: Finish | Failure): meaning is Failure {
  return meaning === 'failed_generation' || meaning === 'server' || meaning === 'overloaded';
}

/** Whether an answer with this ending is a fault, which must not reach the client as an answer. */
export function fails(ending: Ending | undefined): ending is Ending & { readonly fault: Failure } {
  return ending?.fault !== undefined && ending.fault !== 'unknown_ending';
}

/** Whether a canonical finish reason is a provider's own word, which does not stand for a proper end. */
export function isImproper(finish: unknown): finish is string {
  return endingOf('chat', finish)?.fault !== undefined;
}

/** The ending of an answer without a finish reason. */
export function missingEnding(target: string): ProxyError {
  const message = `Cannot tell whether the answer of ${target} is complete: it has no finish reason`;
  return new ProxyError('unknown_ending', message, { target });
}

const STATES: Readonly<Record<Failure | 'unknown_ending', string>> = {
  failed_generation: 'the model failed with',
  server: 'the provider ended it with',
  overloaded: 'the provider ended it with',
  unknown_ending: 'it ended with the unknown finish reason',
};

/** The error that an ending stands for; `undefined` if it is proper. */
export function endingError(ending: Ending | undefined, target: string): ProxyError | undefined {
  if (ending?.fault === undefined) return undefined;
  const { fault, finish } = ending;
  return new ProxyError(fault, `Cannot complete the answer of ${target}: ${STATES[fault]} "${finish}"`, {
    target,
  });
}
