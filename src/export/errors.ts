/** Errors that end an export, and the reasons why a record makes no row. */

/**
 * What ends an export early, with a message for the user. `usage`: what was asked makes no sense. `failed`: it
 * could not be done.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly kind: 'usage' | 'failed';

  constructor(kind: 'usage' | 'failed', message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** The user asked to leave these out. */
export const FILTERS = {
  date: 'outside --since and --until, or without a time',
  model: 'the model does not match --model or --model-filter',
  provider: 'the provider does not match --provider',
  endpoint: 'another endpoint than --endpoint',
  key: 'the client key does not match --key',
  user: 'another end user than --user',
  tag: 'lacks a tag that --tag asks for',
  status: 'another status than --status',
  finish_reason: 'ended in another way than --finish-reason',
  tokens: 'fewer tokens than --min-tokens, or not counted',
  latency: 'slower than --max-latency, or not measured',
  where: 'does not fulfil --where',
  resumed: 'put together of several streams (--include-resumed takes it)',
  unsuccessful: 'no success: the outcome, the status or the log level says so (--successful-only)',
  unfinished:
    'the answer did not end by itself: cut at a limit, filtered, or without a finish reason (--successful-only)',
  refused_feedback: 'feedback that the proxy refused',
  score: 'feedback gives no score as high as --min-score, or one below 0 where that is not asked for',
  continued: 'a longer conversation that is kept goes on from it (--conversations)',
  branch: 'another branch of its conversation has more answers (--branches longest)',
  duplicate: 'says the same as an earlier row (--dedup)',
  near_duplicate: 'says nearly the same as an earlier row (--near-dup)',
  cross_split: 'belongs to conversations on both sides of the split',
  sample: 'not drawn (--sample)',
  balance: 'its group is full (--balance, --per-group)',
  last: 'older than the last ones (--last)',
  max_records: 'enough rows (--max-records)',
} as const;

/** These cannot become a sound training example. */
export const REJECT_REASONS = {
  not_a_conversation: 'an embedding, an image, an ordinary log line: nothing a model was told and answered',
  not_logged: 'the log holds no request or no response, by logging.requests.content or for its size',
  expired: 'what it held was taken out of the log since, by logging.requests.retention',
  no_messages: 'the request has no messages, or something else in their place',
  unknown_role: 'a message has no role, or one that is unknown',
  empty_message: 'a message of the request says nothing',
  stored_conversation:
    'the conversation it goes on from lies with the provider, not in the log (previous_response_id)',
  unsupported_content:
    'audio, a file, an image where none can be (--images drop puts a placeholder there), or another kind of content',
  provider_tool:
    'the provider ran a search, code or another tool by itself, and the answer rests on what no message shows (--provider-tools keep)',
  refusal: 'the model refused',
  no_answer: 'the answer has neither text nor tool calls',
  untrained: 'the dataset itself says that the answer is bad, or not to be trained',
  invalid_tool_call:
    'a tool call has no id or name, an id twice, or arguments that are no JSON object or hold a number such as 1e400',
  invalid_tool: 'the definition of a tool holds a number such as 1e400, which becomes null',
  unknown_tool:
    'the answer calls a tool that the request does not define, or one before it does and the format would train that',
  unanswered_tool_call: 'a tool call of the request has no result',
  orphan_tool_result: 'a tool result answers no call, or one that was answered before',
  too_deep: 'nested too deep to be written, or its tools to be loaded: over 50 levels',
  too_many_tokens:
    'more tokens than --max-tokens, with its oldest turns cut off too where that was asked for',
  wrong_order: 'roles come in an order that the format does not take',
  too_many_images: 'more images than the format takes',
  unlogged_turn:
    'its prompt holds answers that no record shows as successful, or none that the filters keep, and the format would train them (--unlogged-turns)',
  corrected: 'feedback corrects the answer; --corrections puts the correction in its place',
  no_pair: 'neither feedback nor a regeneration says which of two answers is better',
  no_judgement: 'neither feedback nor a regeneration says whether the answer is good',
  unsupported_tools: 'tools or calls of them, which the format has no place for',
  unreadable: 'llmproxy failed on the record: please report it as a defect, with the line that -v names',
  reserved_words: 'a text has words that the trainer keeps for itself, such as "User:" or "<image>"',
} as const;

export type Filter = keyof typeof FILTERS;
export type RejectReason = keyof typeof REJECT_REASONS;

/** Thrown where a record turns out not to make an example; it ends the work on that record alone. */
export class RejectError extends Error {
  override readonly name = 'RejectError';
  readonly reason: RejectReason;

  constructor(reason: RejectReason) {
    super(REJECT_REASONS[reason]);
    this.reason = reason;
  }
}
