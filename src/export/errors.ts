/** Errors that end an export, and the reasons why a record yields no row. */

/**
 * Ends an export early, with a message for the user. `usage`: the request makes no sense. `failed`: it could
 * not be carried out.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly kind: 'usage' | 'failed';

  constructor(kind: 'usage' | 'failed', message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** These were left out on request. */
export const FILTERS = {
  date: 'outside --since and --until, or without a time',
  model: 'the model does not match --model or --model-filter',
  provider: 'the provider does not match --provider',
  endpoint: 'the endpoint does not match --endpoint',
  key: 'the client key does not match --key',
  user: 'the end user does not match --user',
  tag: 'lacks a tag required by --tag',
  status: 'the status does not match --status',
  finish_reason: 'the finish reason does not match --finish-reason',
  tokens: 'fewer tokens than --min-tokens, or no token count',
  latency: 'slower than --max-latency, or no latency recorded',
  where: 'does not satisfy --where',
  resumed: 'assembled from several streams (--include-resumed keeps it)',
  unsuccessful: 'unsuccessful according to its outcome, status or log level (--successful-only)',
  unfinished:
    'the answer is incomplete: cut off at a limit, filtered, or without a finish reason (--successful-only)',
  refused_feedback: 'feedback that the proxy rejected',
  ignored_feedback: 'feedback (--feedback none)',
  score: 'no feedback score of at least --min-score, or a negative score without --min-score',
  continued: 'part of a longer conversation that is kept (--conversations)',
  branch: 'another branch of the conversation has more answers (--branches longest)',
  duplicate: 'identical to an earlier row (--dedup)',
  near_duplicate: 'nearly identical to an earlier row (--near-dup)',
  cross_split: 'belongs to conversations on both sides of the split',
  sample: 'not selected by --sample',
  balance: 'its group is already full (--balance, --per-group)',
  last: 'older than the rows selected by --last',
  max_records: 'beyond --max-records',
} as const;

/** These cannot become a valid training example. */
export const REJECT_REASONS = {
  not_a_conversation: 'not a conversation, such as an embedding, an image or an ordinary log line',
  not_logged:
    'the log does not contain the request or the response, because of logging.requests.content or their size',
  expired: 'its content has since been removed from the log by logging.requests.retention',
  no_messages: 'the request has no messages, or something other than messages in their place',
  unknown_role: 'a message has no role or an unknown one',
  empty_message: 'a message of the request is empty',
  stored_conversation:
    'the earlier conversation is stored at the provider, or encrypted for it, and not in the log (previous_response_id)',
  unsupported_content:
    'audio, a file, another unsupported kind of content, or an image where none is allowed (--images drop inserts a placeholder)',
  provider_tool:
    'the answer relies on a search, code or another tool that the provider ran itself, whose result no message shows (--provider-tools keep)',
  refusal: 'the model refused',
  no_answer: 'the answer has neither text nor tool calls',
  untrained: 'the dataset marks the answer as bad or as not to be trained',
  invalid_tool_call:
    'a tool call has no ID or name, a duplicate ID, or arguments that are not a JSON object or contain a number such as 1e400',
  invalid_tool: 'a tool definition contains a number such as 1e400, which would become null',
  unknown_tool: 'the answer calls a tool that the request does not define',
  unanswered_tool_call: 'a tool call in the request has no result',
  orphan_tool_result: 'a tool result belongs to no call, or to a call that already has one',
  too_deep: 'nested too deeply to be written, or its tools too deeply to be loaded (over 50 levels)',
  too_many_tokens: 'more tokens than --max-tokens, even after trimming if --on-long trim-oldest was given',
  wrong_order: 'the order of roles is not allowed in the format',
  too_many_images: 'more images than the format allows',
  unlogged_turn:
    'its prompt contains answers that the log does not show as successful, or that the filters exclude (--unlogged-turns drop)',
  corrected: 'feedback corrects the answer (--corrections uses the correction instead)',
  no_pair: 'neither feedback nor a regeneration shows which of two answers is better',
  no_judgement: 'neither feedback nor a regeneration shows whether the answer is good',
  unsupported_tools: 'tools or tool calls, which the format does not support, or more tools than it allows',
  unreadable: 'llmproxy failed to process the record; please report a bug, including the line that -v prints',
  reserved_words:
    'a text contains words that the trainer reserves, such as "User:" or "<image>", or all of the user\'s texts are results of tools (<tool_response>)',
} as const;

export type Filter = keyof typeof FILTERS;
export type RejectReason = keyof typeof REJECT_REASONS;

/** Thrown when a record cannot become an example; it only ends the work on that record. */
export class RejectError extends Error {
  override readonly name = 'RejectError';
  readonly reason: RejectReason;

  constructor(reason: RejectReason) {
    super(REJECT_REASONS[reason]);
    this.reason = reason;
  }
}
