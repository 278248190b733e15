/** What the proxy does about each fault, and the tests that prove it: file and part of the title. */
export interface Promised {
  readonly when: string;
  readonly does: string;
  /** Files below test/, each with a part of the title as it is written in the source. */
  readonly tests: readonly (readonly [file: string, title: string])[];
}

const LIMITED = 'e2e/faults-rate-limit.slow';
const ROOMS = 'e2e/provider-limits.slow';
const SERVER = 'e2e/faults-server.slow';
const SLOW = 'e2e/faults-waiting.slow';
const STREAM = 'e2e/faults-stream.slow';
const ENDINGS = 'e2e/faults-endings.slow';
const ODD = 'e2e/faults-odd';
const SHAPE = 'e2e/faults-shape.slow';
const REQUEST = 'e2e/faults-request.slow';
const KEYS = 'e2e/faults-keys.slow';
const SCOPE = 'e2e/faults-scope.slow';
const RECOVERY = 'e2e/faults-recovery.slow';
const BREAKER = 'e2e/faults-breaker.slow';
const CLIENT = 'e2e/faults-client.slow';
const RESUME = 'e2e/faults-resume';
const RESUME_CLIENTS = 'e2e/faults-resume-clients.slow';
const HEDGE = 'e2e/faults-hedge.slow';
const LIFE = 'e2e/lifecycle.slow';
const LOOP = 'e2e/loop.slow';

export const PROMISES: readonly Promised[] = [
  {
    when: '429 with Retry-After, in seconds, milliseconds, as a date, as a used-up limit’s reset or in Gemini’s body',
    does: 'The proxy waits that long and tries the same target again if the wait fits `routing.wait_budget` and no other target is ready sooner; otherwise it tries the next target at once. The target gets no other request before that time. If the time is longer than `routing.max_retry_after`, one request at a time tries the target after that',
    tests: [
      [LIMITED, 'is waited out on the only target'],
      [LIMITED, 'is waited out until that time'],
      [LIMITED, 'a 429 with Retry-After goes to a target that is ready at once'],
      [LIMITED, 'a target with a Retry-After is tried again at that time, not earlier'],
      [LIMITED, 'a Retry-After beyond the wait budget is not waited for'],
      [LIMITED, 'a Retry-After of 0 does not cause a tight loop'],
      [SCOPE, 'a Retry-After of a day is respected for routing.max_retry_after'],
    ],
  },
  {
    when: '429 without it',
    does: 'The target is tried again with exponential backoff and full jitter, up to `max_retries` times; then the next target is tried, and this one gets no requests for 5 s',
    tests: [
      [LIMITED, 'a persistent 429 without Retry-After is retried max_retries times'],
      [LIMITED, 'a target that stayed at 429 is put on cooldown'],
      [LIMITED, 'a 429 opens no breaker and counts no failure'],
    ],
  },
  {
    when: 'a provider’s headers say that its limit is used up, before any 429',
    does: 'That key is not used for this model until the provider has room for the request again, but for at most `routing.max_retry_after`; another key or target is used at once. Nothing counts against the provider',
    tests: [
      [ROOMS, 'a client that asks one thing after another never meets the provider’s own limit'],
      [ROOMS, 'what is beyond a provider’s own limit goes to another at once'],
      [ROOMS, 'many clients at once are sent as the provider’s own limit has room for them'],
    ],
  },
  {
    when: '`rate_limit` or `max_connections` of every target is used up',
    does: 'The request waits for at most `routing.wait_budget`, then gets a 429 that names the limits',
    tests: [
      [ROOMS, 'is never exceeded by fifty clients at once, and lets all of them through in turn'],
      [ROOMS, 'counts what nobody knows as used, and is told as a 429 when it is used up'],
    ],
  },
  {
    when: 'a single 500, 502, 503, 504 or 529',
    does: 'The same target is tried again',
    tests: [[SERVER, 'then fine, is retried on the same target']],
  },
  {
    when: 'a 5xx with Retry-After',
    does: 'The same target is not tried again for this request before that time. If the wait does not fit `routing.wait_budget` and no other target answers, the client gets the error with that Retry-After. Other requests may still try the target',
    tests: [[LIMITED, 'a Retry-After of an overloaded provider reaches the client']],
  },
  {
    when: 'repeated 5xx',
    does: 'The target is tried again up to `max_retries` times, then the next target; the breaker opens',
    tests: [
      [SERVER, 'is retried max_retries times, then the next target answers'],
      [SERVER, 'a persistent 5xx opens the breaker of the target'],
      [SERVER, 'routing.max_attempts limits the attempts of one request across all its targets'],
    ],
  },
  {
    when: 'connection refused or reset, unknown host, TLS failure, not HTTP',
    does: 'The next target is tried if one is ready; otherwise this one is tried again',
    tests: [
      [SERVER, 'is retried on the only target'],
      [SERVER, 'fails over to the next target'],
      [SERVER, 'of the only target ends in 502 upstream_unreachable'],
      [RECOVERY, 'an unreachable provider is put on cooldown for all its models, one that answers for none'],
    ],
  },
  {
    when: 'a kept-alive connection is closed while the request is sent',
    does: 'The request is sent again at once on a fresh connection; nothing counts against the provider',
    tests: [[SERVER, 'is replaced at once and counts against no target']],
  },
  {
    when: 'no connection opens, or its TLS handshake hangs',
    does: 'After `timeout.connect` the next target is tried',
    tests: [
      [
        SLOW,
        'an address where no connection opens is given up after timeout.connect, and the next target is tried',
      ],
      [SLOW, 'a connection that never opens ends in 504 timeout_connect'],
      [RECOVERY, 'a TLS handshake that hangs is given up after timeout.connect'],
    ],
  },
  {
    when: 'a provider accepts the request and stays silent',
    does: 'After `timeout.first_byte`, or the target’s share of the deadline while there are others to try, the next target is tried; the silent one is not tried again for this request',
    tests: [
      [SLOW, 'a silent provider is given up after timeout.first_byte, and not tried again for this request'],
      [SLOW, 'a silent provider without a next target ends in 504 timeout_first_byte, and is tried once'],
      [RECOVERY, 'silent targets leave time for those after them: equal shares of routing.deadline'],
      [RECOVERY, 'a caller’s short deadline is shared too, and counts against no target'],
    ],
  },
  {
    when: 'headers arrive at once and content late, whatever keeps the connection alive in between',
    does: 'After `timeout.first_content` the next target is tried; the client has not been sent its 200 yet',
    tests: [
      [SLOW, 'timeout.first_content fails over before the client got its 200'],
      [SLOW, 'late content of the only target ends in 504 timeout_first_content'],
    ],
  },
  {
    when: 'a stream stalls after content',
    does: 'After `timeout.idle` the stream ends with an error event, or is resumed',
    tests: [[SLOW, 'a stream that stalls after content ends with an error event, not with [DONE]']],
  },
  {
    when: 'a stream is cut off after content: FIN, reset, missing last chunk, missing finish reason, half an event',
    does: 'The stream never looks finished: it ends with an error event instead of `[DONE]`, and the record says `truncated`; or it is resumed',
    tests: [
      [STREAM, 'ends with an error event, and never looks complete'],
      [STREAM, 'never reaches the client: it is retried, then the next target answers'],
    ],
  },
  {
    when: 'an event that is not JSON',
    does: 'The event is left out and counted when the stream completes; otherwise the stream ends with an error event',
    tests: [
      [STREAM, 'a malformed event in the middle of a complete stream is dropped and counted'],
      [STREAM, 'a malformed event in a stream that does not complete ends in an error event'],
    ],
  },
  {
    when: 'a complete stream without `[DONE]`, closed or left open',
    does: 'The stream is finished at once with `[DONE]`, and its usage is kept',
    tests: [[STREAM, 'is finished at once, with one [DONE] and its usage']],
  },
  {
    when: 'an error inside a 200, in any form: first event, body, HTML page, nothing at all',
    does: 'It is treated like the status it represents: before content, the request is retried or sent elsewhere; after content, the stream ends with an error event',
    tests: [
      [STREAM, 'inside a 200 is retried and failed over like the status'],
      [STREAM, 'inside a 200 becomes a 400, and the request is sent once'],
      [STREAM, 'an error event after content ends the stream with an error event, not with [DONE]'],
      [STREAM, 'is no answer: retried, then the next target'],
      [
        ENDINGS,
        'an error in the format of another protocol ends the stream with an error event, and it never looks complete',
      ],
    ],
  },
  {
    when: 'an answer whose finish reason means failure, such as `error`',
    does: 'Before content, the request is retried or sent elsewhere; after content, the stream ends with an error event, and the record says `truncated`',
    tests: [
      [ENDINGS, 'a finish reason that means failure, without content before it, is retried and failed over'],
      [ENDINGS, 'a stream that fails after content ends with an error event, and never looks complete'],
      [ENDINGS, 'an unstreamed answer whose finish reason means failure never reaches the client'],
    ],
  },
  {
    when: 'an unknown finish reason, or none at all',
    does: 'The answer is forwarded with the provider’s own term, and recorded as `truncated` with the fault `unknown_ending`; `export --successful-only` leaves it out',
    tests: [
      [ENDINGS, 'an unknown finish reason is passed on unchanged, and not recorded as a success'],
      [ENDINGS, 'a stream with a terminator but no finish reason after ${what} is passed on'],
      [ENDINGS, 'a stream that ends within a tool call without a finish reason counts as cut off'],
      [ENDINGS, 'an unstreamed answer without a finish reason is passed on, and not recorded as a success'],
      [ENDINGS, 'an unstreamed answer that ends within a tool call never reaches the client'],
      [RESUME_CLIENTS, 'a continuation without a finish reason is passed on, and not recorded as a success'],
    ],
  },
  {
    when: 'a tool call whose arguments are not valid JSON',
    does: 'It is forwarded as text to clients whose protocol carries arguments as text. For other clients it does not count as an answer: the request is retried, then sent to the next target',
    tests: [
      [
        ENDINGS,
        'a tool call with invalid JSON arguments is not passed on to clients whose protocol has objects',
      ],
      [ENDINGS, 'a tool call with invalid JSON arguments reaches chat clients as text'],
      [ENDINGS, 'a tool call that the token limit cut off is reported as such'],
    ],
  },
  {
    when: 'content, a call or the usage after the finish reason; an event of megabytes',
    does: 'All of it reaches the client; an event may be as long as `limits.max_response`',
    tests: [
      [ENDINGS, 'a second tool call after the finish reason reaches the client'],
      [ENDINGS, '${what} reaches the client'],
      [ENDINGS, 'an event of 9 MiB reaches the client'],
      [ENDINGS, 'an event larger than limits.max_response is reported as too large, and as no other fault'],
    ],
  },
  {
    when: 'a stream of Responses fails',
    does: 'It ends with `error` and `response.failed`, which contains the answer up to that point',
    tests: [
      [
        ENDINGS,
        'a response that fails ends with `error` and `response.failed`, which contain the partial answer and continue the numbering',
      ],
    ],
  },
  {
    when: 'an answer in an unusual form: early hints, unrequested compression, CRLF, one JSON body instead of a stream',
    does: 'All of it is forwarded, in the form that the client requested',
    tests: [
      [ODD, 'an answer that comes ${what} is passed on whole'],
      [ODD, 'a stream whose lines end in CRLF and that begins with a comment'],
      [ODD, 'an answer in one JSON body is passed on as the requested stream'],
    ],
  },
  {
    when: 'no answer at all: a redirect, a gateway’s page, a body not compressed as declared, JSON in another format',
    does: 'The request is retried, then sent to the next target; the client gets a provider error, never an error about its own request',
    tests: [
      [ODD, '${what} is not an answer: the next target provides one'],
      [ODD, '${what} from the only target is reported as a failure of the provider, not of the client'],
      [SHAPE, 'never gets %s'],
    ],
  },
  {
    when: 'a provider’s own failure under a status that blames the caller, such as 407, 408 or 499; or the reverse, such as a 500 for a prompt that is too long',
    does: 'The fault decides, not the status; if no other target answers, the client gets the status of that fault in the table below',
    tests: [
      [REQUEST, 'a 408 of a provider is its own timeout: retried, then the next target'],
      [REQUEST, 'of the only provider does not blame the other side'],
    ],
  },
  {
    when: 'impossible numbers: usage below 0, or 1e300',
    does: 'The answer is forwarded; the number counts as unknown in the record, in metrics and in memory budgets',
    tests: [[SHAPE, 'is answered when usage is below 0, and the memory of its request is released']],
  },
  {
    when: '400, the prompt is too long',
    does: 'The request goes to the next target whose context window is not known to be as small (`context_window`); if there is none, the client gets the provider’s own error',
    tests: [
      [
        REQUEST,
        'a prompt too long for one model goes to one with a larger context window, and skips one with the same',
      ],
      [REQUEST, 'a prompt too long for every model ends with the provider’s own error'],
      [REQUEST, 'a prompt that is too long is not sent again if no context window is known'],
      [REQUEST, 'a prompt that is too long goes to the next target if its context window is unknown'],
    ],
  },
  {
    when: '400, refused for its content',
    does: 'The client gets the provider’s own reason; the next target is tried only with `content_policy: failover`',
    tests: [
      [
        REQUEST,
        'a request refused for its content is neither retried nor failed over, and the client gets the reason',
      ],
      [
        REQUEST,
        'a request refused for its content goes to the next target on routes with content_policy: failover',
      ],
    ],
  },
  {
    when: 'another 4xx, the caller’s mistake',
    does: 'The client gets the provider’s own error; no other target is tried, and nothing counts against the provider',
    tests: [
      [REQUEST, 'a 4xx for the client’s mistake is relayed byte for byte when both use the same protocol'],
      [REQUEST, 'that is the client’s mistake is sent once, and the provider’s message is passed on'],
      [REQUEST, '4xx for the client’s mistakes count against no target'],
    ],
  },
  {
    when: '406, 409, 413, 415, 421, 423, 424, 426, 431, 451: another provider may accept it',
    does: 'The next target is tried; if there is none, the client gets the provider’s own error. Nothing counts against the provider',
    tests: [[REQUEST, 'goes to the next target, and counts against nobody']],
  },
  {
    when: '403, 402, 404, 405, 410 that mention neither the key nor the model',
    does: 'The next target is tried; if there is none, the client gets the provider’s own error. After three different requests in a row, only this endpoint of the target is held back',
    tests: [
      [SCOPE, 'does not affect the other endpoints of the model'],
      [SCOPE, 'is passed on with the provider’s message, and puts no other model on cooldown'],
      [SCOPE, 'goes to the next target'],
      [SCOPE, 'only the request that costs too much is refused'],
      [SCOPE, 'a refusal without a stated cause puts the endpoint on cooldown only after three different'],
    ],
  },
  {
    when: '401, insufficient_quota, or an error that mentions the key, the account or its balance',
    does: 'The key is held back for all models; another key is used, or the next target answers; /providers and `llmproxy health` show why and until when',
    tests: [
      [KEYS, 'makes all models of the provider unavailable at once, and the next provider answers'],
      [KEYS, 'at once in /health, /providers and /metrics'],
      [KEYS, 'a refused key is replaced by the next one within the same request, and not used again'],
      [KEYS, 'several keys of one provider are used in turn'],
      [KEYS, 'a key at its rate limit is replaced by the next one at once'],
      [SCOPE, 'puts the key on cooldown for all models, and the operator sees why and until when'],
      [KEYS, 'a probe of the free endpoint makes a provider available before its cooldown is over'],
      [LIFE, 'open breakers survive a reload, and refused keys are tried again'],
    ],
  },
  {
    when: 'anything that is held back',
    does: 'Real requests bring it back: after a cooldown that grows to at most `routing.breaker.max_cooldown`, one request at a time tries it, even if no probe could tell. After a reload, the next request may try whatever is held back',
    tests: [
      [SCOPE, 'is tried again with requests if the probe cannot tell'],
      [SCOPE, 'SIGHUP ends every cooldown'],
      [RECOVERY, 'a target that came back is used again'],
    ],
  },
  {
    when: 'a 404 or an error code that names the model',
    does: 'The next target is tried; this endpoint of the target is held back at once',
    tests: [
      [REQUEST, 'a model that one provider does not have is requested from the next, and this is remembered'],
      [REQUEST, 'a model that no provider has ends in 404 model_not_found'],
    ],
  },
  {
    when: 'a target that keeps failing, or fails too often',
    does: 'Its breaker opens (`routing.breaker`); after a cooldown with jitter that grows to `max_cooldown`, a single request tries it',
    tests: [
      [BREAKER, 'consecutive failures open the breaker; other targets then answer'],
      [
        BREAKER,
        'after the cooldown a single request tries the target of an open breaker, and its success closes it',
      ],
      [BREAKER, 'only one trial is in flight: all other requests go to other targets until it ends'],
      [BREAKER, 'a failed trial keeps the breaker open for longer'],
      [BREAKER, 'the failure rate opens the breaker of a provider that fails often but not consecutively'],
    ],
  },
  {
    when: 'all targets are unavailable',
    does: 'One request at a time tries the least bad target, at least a second after it failed (with `last_resort: on`, every request does); the others get the most informative error within the deadline, or 503 with Retry-After. Every attempt is in `details` and in the record',
    tests: [
      [
        BREAKER,
        'with all targets unavailable, the best error is returned within the deadline, with each attempt in details and in the record',
      ],
      [BREAKER, 'with all targets unavailable, Retry-After names the earliest recovery'],
      [
        RECOVERY,
        'the only target is tried by one request at a time while it is down, and used as soon as it is back',
      ],
      [
        BREAKER,
        'last_resort tries the least bad target when all are unavailable, and only on routes that set it',
      ],
      [BREAKER, 'last_resort never tries a target before its Retry-After has passed'],
      [SLOW, 'routing.deadline limits all attempts together'],
    ],
  },
  {
    when: 'the client disconnects at any moment',
    does: 'The provider’s work is stopped; the record says `client_abort` with the usage known so far; nothing counts against the provider',
    tests: [
      [
        CLIENT,
        'a client that disconnects before the provider answers cancels the upstream request: client_abort',
      ],
      [
        CLIENT,
        'a client that disconnects between headers and content cancels the upstream request: client_abort',
      ],
      [
        CLIENT,
        'a client that disconnects in the middle of an answer cancels the upstream request: client_abort',
      ],
      [
        CLIENT,
        'the record of a stream whose client disconnected has what was received, with the usage known by then',
      ],
      [
        CLIENT,
        'clients that disconnect at any moment leave no connections or memory behind, and each has one record',
      ],
    ],
  },
  {
    when: 'the client reads slowly, or not at all',
    does: 'The provider is read no faster than the client reads, so that memory stays bounded; after `limits.client_stall` the client is disconnected',
    tests: [
      [CLIENT, 'a client that reads nothing stops the reading from the provider, and memory stays bounded'],
      [CLIENT, 'a client that reads slowly gets all of a long answer'],
      [CLIENT, 'a client that reads nothing for limits.client_stall is disconnected, and so is the provider'],
    ],
  },
  {
    when: 'the caller’s own deadline: `x-request-timeout`, the SDKs’ `x-stainless-timeout`',
    does: 'It is an upper limit: after it, the client gets a 504 `deadline_exceeded`',
    tests: [
      [SLOW, 'is an upper limit: 504 deadline_exceeded, and the upstream request is cancelled'],
      [SLOW, 'a client’s deadline also ends retries and waits'],
      [SLOW, 'a client’s deadline can only shorten the time'],
    ],
  },
  {
    when: 'an endless answer',
    does: '`limits.max_response` and `timeout.total` bound it',
    tests: [
      [CLIENT, 'an answer beyond limits.max_response'],
      [CLIENT, 'a stream beyond limits.max_response'],
      [SLOW, 'timeout.total limits an answer that never ends, however much it sends'],
    ],
  },
  {
    when: 'the proxy is pointed at itself',
    does: 'The client gets 508 `loop_detected` after one round',
    tests: [[BREAKER, 'a proxy pointed at itself answers 508 after one round']],
  },
  {
    when: 'a stream breaks after text, with `resume: on`, for clients of every protocol',
    does: 'Another target continues the answer, by prefill or by an instruction to continue. The parts are joined without loss or repetition, with the usage of all of them; not within a tool call or signed reasoning',
    tests: [
      [RESUME, 'is continued by the next target: one answer, one id, one [DONE]'],
      [RESUME, 'and nothing is lost or repeated where the parts join'],
      [RESUME, 'repeats from the end is removed'],
      [RESUME, 'begins again, only the new part is forwarded'],
      [RESUME, 'that refuses prefill is asked to continue by an instruction, and this is remembered'],
      [RESUME, 'is not resumed: it ends with an error event, and no other target is tried'],
      [
        RESUME,
        'a continuation that also breaks is continued by a third target, and the record lists all parts',
      ],
      [RESUME_CLIENTS, 'is continued by the next target, with the usage of both'],
      [RESUME_CLIENTS, 'gets the beginning, and nothing is lost or repeated where the parts join'],
      [RESUME_CLIENTS, 'is not resumed: it ends with an error event, and no other target is tried'],
    ],
  },
  {
    when: 'a target is slow to start, with `hedge: on`',
    does: 'A second target is tried after the p95 of the first content, or after `delay`; the one that starts first answers, and the other one’s work is stopped; `budget` limits the extra requests',
    tests: [
      [HEDGE, 'a second one is tried after the delay; it wins, and the first is cancelled'],
      [HEDGE, 'and lost to a second one counts no failure'],
      [HEDGE, 'the budget limits the extra requests, however slow the first target is'],
      [HEDGE, 'without a configured delay, the target’s own p95 is used once it is known'],
    ],
  },
  {
    when: 'one request that is large, deep or hard to count',
    does: 'Other requests are answered in the meantime; beyond `limits.max_depth`, `max_values`, `max_fields` or `max_object_fields` the client gets a 400',
    tests: [[LOOP, 'beside %s normal requests are answered']],
  },
  {
    when: 'SIGTERM, a reload, kill -9, floods, and data that trickles in',
    does: 'Requests finish or end with an error event; an invalid configuration changes nothing; everything is limited and counted',
    tests: [
      [LIFE, 'SIGTERM lets streams finish, accepts nothing new, and loses no record'],
      [LIFE, 'streams that are not finished within server.drain_timeout end with an error event'],
      [LIFE, 'a changed configuration is applied while requests run, without affecting them'],
      [LIFE, 'kill -9 under load loses at most what was not flushed, and the next start continues the log'],
      [LIFE, 'clients that send headers or bodies slowly delay nobody; a body that takes too long is a 408'],
      [LIFE, 'floods of headers and of large bodies are refused, and counted'],
    ],
  },
];
