/**
 * The ways in which answers end, in the words of every provider. A word that stands in no row is not known: it is
 * passed on to the client, and the answer does not count as a success.
 */
import type { ProtocolName } from './protocol.ts';
import { ProxyError } from '../errors.ts';

/** An end that the client is told of in its own protocol. */
type Finish = 'stop' | 'length' | 'content_filter' | 'tool_calls';
/** An end that is a fault: of the model, or of the server that runs it. */
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
    // watsonx: the time was up.
    time_limit: 'length',
    // Mistral; OpenRouter and vLLM say `error` too.
    model_length: 'length',
    error: 'server',
    // vLLM and SGLang, when their engine gave the request up.
    abort: 'server',
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
  /** The status of a response, or what it is incomplete for. */
  responses: {
    completed: 'stop',
    // Perplexity's form of it.
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
    // The enumeration by number, as far as Google's two APIs agree on it: Vertex writes it so to some clients.
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
  /** In chat's words, or the provider's own word where it is a fault. */
  readonly finish: string;
  /** What the ending means where it is not a proper one. */
  readonly fault?: Failure | 'unknown_ending';
}

/** Words that stand for none: an answer that has them goes on. */
const NONE: ReadonlySet<string> = new Set(['', 'null', 'finish_reason_unspecified', '0']);

/** The longest word that is one. */
const MAX_WORD = 100;

/** Gateways write the words of others in small letters, or with a dash. */
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

/** What a word means in a protocol; else in any other, since gateways pass on what the provider behind them said. */
function meaningOf(protocol: ProtocolName, word: string): Finish | Failure | undefined {
  const own = MEANINGS.get(protocol)?.get(word);
  if (own) return own;
  for (const others of MEANINGS.values()) if (others.has(word)) return others.get(word);
  return undefined;
}

/** How an answer ends with this word of its provider; `undefined` when it does not end yet. */
export function endingOf(protocol: ProtocolName, said: unknown): Ending | undefined {
  if (typeof said !== 'string' && typeof said !== 'number') return undefined;
  const own = String(said).slice(0, MAX_WORD);
  const word = plain(own);
  if (NONE.has(word)) return undefined;
  const meaning = meaningOf(protocol, word);
  if (meaning === undefined) return { finish: own, fault: 'unknown_ending' };
  return isFailure(meaning) ? { finish: own, fault: meaning } : { finish: meaning };
}

/**
 * The finish reason of an answer in chat's words, or the provider's own where chat has none; `null` while none is told.
 * @param calls what the answer's calls are: `tools` that the client runs, after which some providers say that they
 *   stopped as after a text; or the answer itself, `structured` as the arguments of a tool of which the client knows
 *   nothing
 */
export function finishReason(
  protocol: ProtocolName,
  said: unknown,
  calls?: 'tools' | 'structured' | false,
): string | null {
  const finish = endingOf(protocol, said)?.finish ?? null;
  if (calls === 'tools' && finish === 'stop') return 'tool_calls';
  return calls === 'structured' && finish === 'tool_calls' ? 'stop' : finish;
}

function isFailure(meaning: Finish | Failure): meaning is Failure {
  return meaning === 'failed_generation' || meaning === 'server' || meaning === 'overloaded';
}

/** Whether an answer with this ending is none: it must not reach the client as if it were one. */
export function fails(ending: Ending | undefined): ending is Ending & { readonly fault: Failure } {
  return ending?.fault !== undefined && ending.fault !== 'unknown_ending';
}

/** Whether a canonical finish reason is a provider's own word, which stands for no proper end. */
export function isImproper(finish: unknown): finish is string {
  return endingOf('chat', finish)?.fault !== undefined;
}

/** Of an answer that ends without a finish reason. */
export function untoldEnding(target: string): ProxyError {
  const message = `Cannot tell whether the answer of ${target} is complete: it has no finish reason`;
  return new ProxyError('unknown_ending', message, { target });
}

const STATES: Readonly<Record<Failure | 'unknown_ending', string>> = {
  failed_generation: 'the model failed with',
  server: 'the provider ended it with',
  overloaded: 'the provider ended it with',
  unknown_ending: 'it ended with the unknown finish reason',
};

/** The error that an ending stands for; `undefined` where it is a proper one. */
export function endingError(ending: Ending | undefined, target: string): ProxyError | undefined {
  if (ending?.fault === undefined) return undefined;
  const { fault, finish } = ending;
  return new ProxyError(fault, `Cannot complete the answer of ${target}: ${STATES[fault]} "${finish}"`, {
    target,
  });
}
