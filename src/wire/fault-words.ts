/**
 * The meaning of a 4xx error message that comes without a code. A provider may quote the request in it, and a caller's
 * own words must not put a key or a model on hold for others: quotations are removed, and messages about a field of the
 * request are attributed to the request alone.
 */
import type { UpstreamError } from '../errors.ts';
import type { Fault } from '../faults.ts';

type Words = Pick<UpstreamError, 'message' | 'param'>;

/** Messages about an exceeded context, as vendors and servers word them. */
const CONTEXT_LENGTH = anyOf(
  /prompt is too long|prompt too long; exceeded|too many tokens|exceeds the context window|maximum context length/,
  /exceeds the maximum number of tokens allowed|input tokens exceed(?:ed| the configured limit)/,
  /reduce the length of the messages|request too large for model/,
  // Anthropic and Bedrock.
  /input is too long|exceed context limit:/,
  // Moonshot and Cloudflare, MiniMax, xAI, Copilot.
  /exceeded (?:this )?model (?:token limit|context window limit)|context window exceeds limit/,
  /maximum prompt length is|\btoken count of \d+ exceeds the limit of\b/,
  // Alibaba, Z.ai, ByteDance, SiliconFlow.
  /range of input length should be|prompt (?:exceeds max length|超长)|exceed max message tokens|less than max_seq_len\b/,
  // llama.cpp, vLLM and LM Studio, SGLang, TGI.
  /exceeds the available context size|context length (?:is|of) only|longer than the model's context length/,
  /`inputs` (?:tokens \+ `max_new_tokens` must be <=|must have less than) \d/,
);

/** The request needs more tokens than a minute allows: waiting does not help, and other requests are not affected. */
const LARGER_THAN_A_MINUTE = /\brequest too large for\b[^\n]{0,400}\btokens per min/i;

/** A prompt of this length costs extra, or needs another plan: a shorter one is accepted. */
const LONG_COSTS_EXTRA =
  /\b(?:extra usage|usage credits?) (?:is|are) required for long context\b|\blong context beta is not (?:yet )?available\b/i;

/** Messages about filtered content. */
const CONTENT_POLICY =
  /content filtering policy|content management policy|rejected (?:as a result of|by) our safety system|violat\w+ (?:[\w’']+ )?(?:usage|content|safety|acceptable use) (?:polic|guideline)|\bfailed check: safety_check|\bcontain\w* (?:inappropriate|unsafe|sensitive) (?:content|information)\b|\bunsafe or sensitive content\b|\bcontent exists risk\b|\b(?:in|out)put new_sensitive\b|敏感内容|\b(?:input|prompt|content|request) (?:was|has been|is) flagged\b/i;

/** Messages that the provider lacks the model; some have status 400. Bounded, since they come from outside. */
const NO_MODEL = anyOf(
  /\b(?:models?|deployment)\b\S*(?:\s+\S{1,200}){0,4}?\s+(?:not found\b|does(?: not|n't) exist|not exist\b|(?:is )?not available\b|not deployed\b|(?:has been |was )?(?:decommissioned|retired)\b|no longer (?:supported|available)\b)/,
  /\b(?:invalid|unknown|unsupported|no such) model\b/,
  /\bnot a valid model\b|\bmodel identifier is invalid\b|\bno endpoints found for\b|\bunable to access (?:\S+ )?model\b/,
  /\bwith on-demand throughput (?:is not|isn['’]t) supported\b|模型不存在|\bno route for that uri\b/,
  /^model: \S+$/,
);

/**
 * Messages that something the request refers to is stored elsewhere, such as a file or an earlier response. "File not
 * found" alone is what servers say about an unknown path.
 */
const NO_OBJECT =
  /^(?!file not found\W*$)[^]*?\b(?:file|response|conversation|thread|assistant|vector store|batch|container|item|cached ?content|prompt template|job)s?\b\S*(?:\s+\S{1,200}){0,4}?\s+not found\b|\bno such (?:file|response|conversation|thread|assistant|vector store|batch|container|item)\b/i;

/** Messages that no provider behind this one supports the request. */
const NO_FEATURE = /\bno endpoints found that\b/i;

/** Mentions of our key, or of the account as a whole: messages about its models or its policies are narrower. */
const AUTH = anyOf(
  /\b(?:incorrect|invalid|expired|revoked|disabled|deactivated|unknown|wrong|missing|leaked) (?:x-)?(?:api[ _-]?(?:key|token)|auth\w* token|bearer token|access token)/,
  /\bapi[ _-]?(?:key|token)(?: (?:you )?provided)? (?:is |was |has been |has )?(?:not valid|not found|invalid|incorrect|expired|revoked|disabled|deactivated|deleted|blocked|suspended|leaked|compromised|(?:reported|flagged|detected) as (?:leaked|compromised))\b(?! (?:from|for (?:this|that|the|use)) (?!account|organi[sz]ation|project|team|workspace))/,
  /\bno auth credentials\b|\binvalid authentication\b|\bauthentication (?:error|failed|failure)\b|\bsecurity token\b[^\n]{0,60}\b(?:invalid|expired)/,
  /\b(?:access|auth\w*|bearer|oauth2?) token (?:is |was |has |has been )?(?:not valid|invalid|expired|revoked)\b|\bthis credential is only authorized\b/,
  /\b(?:account|organi[sz]ation|workspace|team|project|consumer)\b(?:(?:\W{1,9}(?!(?:models?|features?|endpoints?|tools?|access|polic\w+|members?|settings?|images?|files?|prompts?)\b)\w{1,80}){0,9}?\W{1,9}(?:is|are|was|were|has been|have been)(?: \w{1,20}ly)?)?\W{1,9}(?:suspended|deactivated|disabled|banned|terminated|blocked|locked|restricted|closed|archived|frozen|deleted|inactive|not active)\b(?! from\b)/,
  /\b(?:user location|country, region,? or territory|free tier) (?:is )?not (?:supported|available)\b/,
);

/** Mentions of a token, in statuses for which it can only be the credential. */
const TOKEN =
  /\b(?:invalid|expired|revoked|blocked)(?: (?:api|access|auth\w*|bearer|id|jwt|oauth2?|personal|refresh|security|server|session|user))? token\b(?! (?:at|in|id|near)\b)/i;

/** Messages that the key is valid, but lacks a permission: a restricted key is not a broken one. */
const LACKS_RIGHTS = /\bmissing scopes?\b|\binsufficient (?:permissions?|authentication scopes?|scopes?)\b/i;

/** Mentions of the balance of the account as a whole. */
const BILLING = anyOf(
  /\bcredit balance is too low\b|\b(?:insufficient|not enough|(?:n['’]t|not) have enough|lack sufficient)[ _](?:\w+ ){0,3}(?:balance|quota|credits?|funds)\b|\b(?:out of|no) (?:more |remaining )?credits\b(?! were\b)|\bnever purchased credits\b/,
  /\bbalance\b[^\n]{0,40}\b(?:negative|exhausted|too low|insufficient)|\boverdue balance\b|\bin arrears\b|\baccount is (?:not )?in good standing\b|\bno payment method\b|余额不足|欠费/,
  /\bcredits? (?:is |are |has been |have been )?(?:depleted|exhausted|used up)\b|\bused all available credits\b|\b(?:doesn't|does not|don't|do not) have any credits\b|\bexceeded (?:your |the )?(?:(?:monthly|included|free) ){1,3}credits\b/,
  /\bkey limit exceeded\b|\bbilling (?:hard )?limit\b|\bmonthly spending limit\b|\bspecified (?:\w+ ){0,2}usage limits?\b|\bbudget has been exceeded\b/,
  /\b(?:credit|spend|spending) (?:limit|cap) (?:has been |was |is )?(?:exceeded|reached)\b|\b(?:reached|exceeded) (?:your|its|the) (?:monthly )?(?:credit|spend|spending) (?:limit|cap)\b/,
  /\b(?:trial|subscription|package) (?:has |is |was )?(?:expired|ended|inactive|cancell?ed)\b/,
);

/** Advice that rate limit errors may contain as well. */
const ADD_CREDITS = /\badd (?:more )?credits\b/i;

/** A price of this particular request: a smaller one may still be affordable. */
const TOO_EXPENSIVE =
  /\bfewer max_tokens\b|\bcan only afford\b|\btokens? limit exceeded\b|\b(?:this|your) request (?:requires|needs|would cost|exceeds)\b/i;

/** Statuses that usually concern a key or an account: their messages need no further evidence. */
const OF_THE_ACCOUNT: ReadonlySet<number> = new Set([401, 402, 403, 412, 429, 498]);

/** Quotations and addresses: the caller's words, and names. An apostrophe within a word is not a quote. */
const QUOTED =
  /"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$)|“[^”]*(?:”|$)|(?<!\w)'(?:[^'\\]|\\.|'(?=\w))*(?:'(?!\w)|$)|\bhttps?:\/\/\S+|\binput_value=[^\n]*/g;

/** A position in the request, which the message is then about. */
const FIELD =
  /\b(?:messages|input|contents|tools|system|prompt|metadata|body|generationconfig)\b(?:\.[\w$]|\[|: |->)/i;

/** A parameter that is not part of the request's content: the model, or an identifier of the account. */
const NO_PART =
  /^(?:|none|null|model|(?:x-)?(?:api[ _-]?)?key|auth\w*|(?:access_)?token|credentials?|headers?\b.*|(?:account|organi[sz]ation|project|workspace|team)\w*|billing|credits?|balance|quota)$/i;

/**
 * Things that the request contains, or has fetched or searched: a key or an account mentioned beside them is not ours.
 */
const BROUGHT =
  /\b(?:images?|pictures?|photos?|videos?|audio|(?<!\b(?:config|configuration|credentials?|env|key|on) )files?|attachments?|documents?|pdfs?|mcp|tools?|connectors?|plugins?|webhooks?|web ?search|search (?:vendor|provider|engine)|vector stores?|knowledge bases?|code interpreter|sandbox|repositor(?:y|ies)|skills?|containers?|buckets?|conversations?|(?:the|your|user) messages?|prompts?|guardrails?|metadata|(?:fetch|download)(?:ed|ing)?)\b/i;

/** A sentence that is nevertheless about our account, such as one that gives the reason. */
const OF_OURS =
  /^\s*your (?:\w+ )?(?:account|organi[sz]ation|workspace|team|project|(?:api[ _-]?)?key|credits?)\b(?!['’]s\b| (?:for|of|at|in|with)\b)/i;

/** How far into its message the key or account must be mentioned if the status is about the request. */
const AT_THE_BEGINNING = 40;

/** The meaning of a 4xx message, regardless of the status; `undefined` when it adds nothing to the status. */
export function faultOfWords(status: number, { message, param }: Words): Fault | undefined {
  if (tooLong(status, message)) return 'context_length';
  const text = message.replace(QUOTED, ' ');
  // An account may have been closed because of its content.
  if (CONTENT_POLICY.test(message) && !early(AUTH, text)) return 'content_policy';
  const ofPart = isPart(param) || FIELD.test(text);
  if (OF_THE_ACCOUNT.has(status)) return ofPart ? refusesPart(status, text) : refusesAccount(status, text);
  if (NO_OBJECT.test(text) || NO_FEATURE.test(text)) return 'declined';
  if (ofPart) return status === 404 || status === 410 ? 'declined' : undefined;
  return (
    refuses(text) ?? lacks(status, text) ?? (status === 400 && param === 'model' ? 'no_endpoint' : undefined)
  );
}

/** Whether a parameter names a part of the request's content, which is then the only thing at fault. */
export function isPart(param: string | undefined): boolean {
  return param !== undefined && !NO_PART.test(param);
}

/** Whether the prompt is too long, in unambiguous words. */
export function saysTooLong(message: string): boolean {
  return tooLong(429, message);
}

function tooLong(status: number, message: string): boolean {
  if (LARGER_THAN_A_MINUTE.test(message) || LONG_COSTS_EXTRA.test(message)) return true;
  const found = CONTEXT_LENGTH.exec(message)?.[0].toLowerCase();
  // With this status, there are too many tokens per minute.
  return found !== undefined && (status !== 429 || found !== 'too many tokens');
}

/** An account's status that is about a part of the request. */
function refusesPart(status: number, text: string): Fault | undefined {
  if (status === 402 && TOO_EXPENSIVE.test(text)) return 'unaffordable';
  return status === 401 || status === 402 || status === 403 ? 'declined' : undefined;
}

function refusesAccount(status: number, text: string): Fault | undefined {
  const fault = blamesAccount(status, text) ?? lacks(status, text);
  if (fault || (status !== 401 && status !== 403)) return fault;
  return early(BROUGHT, text, (at) => !OF_OURS.test(sentenceAt(text, at))) ? 'declined' : undefined;
}

/** Whether the key or the account is at fault, for statuses that suggest it. */
function blamesAccount(status: number, text: string): Fault | undefined {
  // A rate limit of Google's reads like a bill, and others advise the user to pay.
  if (status === 429) return isOurs(BILLING, text) ? 'billing' : undefined;
  if (TOO_EXPENSIVE.test(text) && status !== 401) return 'unaffordable';
  if (LACKS_RIGHTS.test(text)) return 'forbidden';
  if (isOurs(AUTH, text) || (status !== 402 && isOurs(TOKEN, text))) return 'auth';
  return isOurs(BILLING, text) || isOurs(ADD_CREDITS, text) ? 'billing' : undefined;
}

/** The same for statuses about the request: some vendors reject a key with 400, and say so at the beginning. */
function refuses(text: string): Fault | undefined {
  if (early(AUTH, text)) return 'auth';
  return early(BILLING, text) ? 'billing' : undefined;
}

function early(words: RegExp, text: string, holds = (at: number) => isOurs(words, text, at)): boolean {
  const at = words.exec(text)?.index ?? Infinity;
  return at <= AT_THE_BEGINNING && holds(at);
}

/** Whether a message about a key or an account is about ours: the request may contain its own. */
function isOurs(words: RegExp, text: string, at = words.exec(text)?.index): boolean {
  if (at === undefined) return false;
  const sentence = sentenceAt(text, at);
  // The preceding words tell the subject; a later sentence is advice.
  return OF_OURS.test(sentence) || !BROUGHT.test(text.slice(0, text.lastIndexOf('. ', at) + 1) + sentence);
}

function sentenceAt(text: string, at: number): string {
  const end = text.indexOf('. ', at);
  return text.slice(text.lastIndexOf('. ', at) + 1, end < 0 ? undefined : end);
}

/** Whether the provider lacks the model. */
function lacks(status: number, text: string): Fault | undefined {
  if (status === 429 || !NO_MODEL.test(text)) return undefined;
  // A 400 may be about anything that the request refers to.
  return status === 404 || status === 410 ? 'not_found' : 'no_endpoint';
}

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'i');
}
