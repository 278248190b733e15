/** Why a record gives no row. The names are what `llmproxy export` counts by. */

/** The user asked to leave these out. */
export const FILTERS = {
  date: 'outside --start-date and --end-date, or without a time',
  model: 'the model does not match --model-filter',
  unsuccessful: 'no success: the outcome, the status or the log level says so (--successful-only)',
  unfinished:
    'the answer did not end by itself: cut at a limit, filtered, or without a finish reason (--successful-only)',
} as const;

/** These cannot become a sound training example. */
export const FLAWS = {
  not_a_conversation: 'an embedding, an image, an ordinary log line: nothing a model was told and answered',
  not_logged: 'the log holds no request or no response, by logging.requests.content or for its size',
  no_messages: 'the request has no messages, or something else in their place',
  unknown_role: 'a message has no role, or one that is unknown',
  empty_message: 'a message of the request says nothing',
  unsupported_content: 'audio, a file, an image where none can be, or another kind of content',
  refusal: 'the model refused',
  no_answer: 'the answer has neither text nor tool calls',
  invalid_tool_call: 'a tool call has no id or name, an id twice, or arguments that are no JSON object',
  unknown_tool: 'the answer calls a tool that the request does not define',
  unanswered_tool_call: 'a tool call of the request has no result',
  orphan_tool_result: 'a tool result answers no call, or one that was answered before',
  too_deep: 'nested too deep to be written',
} as const;

export type Filter = keyof typeof FILTERS;
export type Flaw = keyof typeof FLAWS;

/** Thrown where a record turns out not to make an example; it ends the work on that record alone. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
  readonly flaw: Flaw;

  constructor(flaw: Flaw) {
    super(FLAWS[flaw]);
    this.flaw = flaw;
  }
}
