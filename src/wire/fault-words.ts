/**
 * What the words of a 4xx say where no code does. A provider may quote the request in them, and a caller's own words
 * must take no key and no model from the others: what is quoted is left out, and words about a field of the request
 * blame the request alone.
 */
import type { Fault, UpstreamError } from '../errors.ts';

type Words = Pick<UpstreamError, 'message' | 'param'>;

/** How context overflow is worded; recorded at the vendors. */
const CONTEXT_LENGTH =
  /prompt is too long|exceeds the context window|maximum context length|exceeds the maximum number of tokens|input tokens exceeded|input is too long|exceeds the available context size|context length is only|prompt too long; exceeded|too many tokens|request too large for model/i;

/** More tokens in this request than a minute has: waiting does not help it, and others are not concerned. */
const LARGER_THAN_A_MINUTE = /\brequest too large for\b[^\n]{0,400}\btokens per min/i;

/** A prompt of this length costs extra, or is for other subscriptions: a shorter one is taken. */
const LONG_COSTS_EXTRA =
  /\b(?:extra usage|usage credits?) (?:is|are) required for long context\b|\blong context beta is not (?:yet )?available\b/i;

/** How a refusal for the content is worded where no code says so. */
const CONTENT_POLICY =
  /content filtering policy|content management policy|rejected (?:as a result of|by) our safety system|violat\w+ (?:[\w’']+ )?(?:usage|content|safety|acceptable use) (?:polic|guideline)|\bfailed check: safety_check|\bcontain\w* (?:inappropriate|unsafe|sensitive) content\b|敏感内容|\b(?:input|prompt|content|request) (?:was|has been|is) flagged\b/i;

/** That the provider lacks the model, in its words; some say so with status 400. Bounded, for they come from outside. */
const NO_MODEL = anyOf(
  /\b(?:models?|deployment)\b\S*(?:\s+\S{1,200}){0,4}?\s+(?:not found\b|does(?: not|n't) exist|not exist\b|(?:is )?not available\b|not deployed\b|(?:has been |was )?(?:decommissioned|retired)\b|no longer (?:supported|available)\b)/,
  /\b(?:invalid|unknown|unsupported|no such) model\b/,
  /\bnot a valid model\b|\bmodel identifier is invalid\b|\bno endpoints found for\b|\bunable to access (?:\S+ )?model\b/,
  /\bwith on-demand throughput (?:is not|isn['’]t) supported\b/,
  /^model: \S+$/,
);

/**
 * That something which the request names is kept elsewhere, such as a file or an earlier response. A file alone is
 * how servers call a path that they lack.
 */
const NO_OBJECT =
  /^(?!file not found\W*$)[^]*?\b(?:file|response|conversation|thread|assistant|vector store|batch|container|item|cached ?content|prompt template|job)s?\b\S*(?:\s+\S{1,200}){0,4}?\s+not found\b|\bno such (?:file|response|conversation|thread|assistant|vector store|batch|container|item)\b/i;

/** That no provider behind this one can do what the request asks. */
const NO_FEATURE = /\bno endpoints found that\b/i;

/** Words that name our key, or the account as a whole: what is said of its models or its policies is less. */
const AUTH = anyOf(
  /\b(?:incorrect|invalid|expired|revoked|disabled|deactivated|unknown|wrong|missing|leaked) (?:x-)?(?:api[ _-]?(?:key|token)|auth\w* token|bearer token|access token)/,
  /\bapi[ _-]?(?:key|token)(?: (?:you )?provided)? (?:is |was |has been |has )?(?:not valid|not found|invalid|incorrect|expired|revoked|disabled|deactivated|deleted|blocked|suspended|leaked|compromised|(?:reported|flagged|detected) as (?:leaked|compromised))\b(?! (?:from|for (?:this|that|the|use)) (?!account|organi[sz]ation|project|team|workspace))/,
  /\bno auth credentials\b|\binvalid authentication\b|\bauthentication (?:error|failed|failure)\b|\bsecurity token\b[^\n]{0,60}\b(?:invalid|expired)/,
  /\b(?:access|auth\w*|bearer|oauth2?) token (?:is |was |has |has been )?(?:not valid|invalid|expired|revoked)\b|\bthis credential is only authorized\b/,
  /\b(?:account|organi[sz]ation|workspace|team|project|consumer)\b(?:(?:\W{1,9}(?!(?:models?|features?|endpoints?|tools?|access|polic\w+|members?|settings?|images?|files?|prompts?)\b)\w{1,80}){0,9}?\W{1,9}(?:is|are|was|were|has been|have been)(?: \w{1,20}ly)?)?\W{1,9}(?:suspended|deactivated|disabled|banned|terminated|blocked|locked|restricted|closed|archived|frozen|deleted|inactive|not active)\b(?! from\b)/,
  /\b(?:user location|country, region,? or territory|free tier) (?:is )?not (?:supported|available)\b/,
);

/** Words about the token in a status that can be about nothing else. */
const TOKEN =
  /\b(?:invalid|expired|revoked|blocked)(?: (?:api|access|auth\w*|bearer|id|jwt|oauth2?|personal|refresh|security|server|session|user))? token\b(?! (?:at|in|id|near)\b)/i;

/** That the key is good, but not for this: a key of few rights is no broken key. */
const LACKS_RIGHTS = /\bmissing scopes?\b|\binsufficient (?:permissions?|authentication scopes?|scopes?)\b/i;

/** Words that name the balance of the account as a whole. */
const BILLING = anyOf(
  /\bcredit balance is too low\b|\b(?:insufficient|not enough|(?:n['’]t|not) have enough|lack sufficient)[ _](?:\w+ ){0,3}(?:balance|quota|credits?|funds)\b|\b(?:out of|no) (?:more |remaining )?credits\b(?! were\b)|\bnever purchased credits\b/,
  /\bbalance\b[^\n]{0,40}\b(?:negative|exhausted|too low|insufficient)|\boverdue balance\b|\bin arrears\b|\baccount is (?:not )?in good standing\b|\bno payment method\b|余额不足|欠费/,
  /\bcredits? (?:is |are |has been |have been )?(?:depleted|exhausted|used up)\b|\bused all available credits\b|\b(?:doesn't|does not|don't|do not) have any credits\b|\bexceeded (?:your |the )?(?:(?:monthly|included|free) ){1,3}credits\b/,
  /\bkey limit exceeded\b|\bbilling (?:hard )?limit\b|\bmonthly spending limit\b|\bspecified (?:\w+ ){0,2}usage limits?\b|\bbudget has been exceeded\b/,
  /\b(?:credit|spend|spending) (?:limit|cap) (?:has been |was |is )?(?:exceeded|reached)\b|\b(?:reached|exceeded) (?:your|its|the) (?:monthly )?(?:credit|spend|spending) (?:limit|cap)\b/,
  /\b(?:trial|subscription|package) (?:has |is |was )?(?:expired|ended|inactive|cancell?ed)\b/,
);

/** What a rate limit may give as advice, too. */
const ADD_CREDITS = /\badd (?:more )?credits\b/i;

/** A price that is this request's own: a smaller one may still be paid. */
const TOO_EXPENSIVE =
  /\bfewer max_tokens\b|\bcan only afford\b|\btokens? limit exceeded\b|\b(?:this|your) request (?:requires|needs|would cost|exceeds)\b/i;

/** Statuses of which a key or an account is the usual reason: their words need no further proof. */
const OF_THE_ACCOUNT: ReadonlySet<number> = new Set([401, 402, 403, 412, 429, 498]);

/** What is quoted, and addresses: words of the caller's, and names. An apostrophe within a word quotes nothing. */
const QUOTED =
  /"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$)|“[^”]*(?:”|$)|(?<!\w)'(?:[^'\\]|\\.|'(?=\w))*(?:'(?!\w)|$)|\bhttps?:\/\/\S+|\binput_value=[^\n]*/g;

/** A place in the request, which is what the words are about then. */
const FIELD =
  /\b(?:messages|input|contents|tools|system|prompt|metadata|body|generationconfig)\b(?:\.[\w$]|\[|: |->)/i;

/** A parameter that is no part of the request's content: the model, or what the account is known by. */
const NO_PART =
  /^(?:|none|null|model|(?:x-)?(?:api[ _-]?)?key|auth\w*|(?:access_)?token|credentials?|headers?\b.*|(?:account|organi[sz]ation|project|workspace|team)\w*|billing|credits?|balance|quota)$/i;

/** What a request brings along, or has fetched or searched: a key or an account beside these words is not ours. */
const BROUGHT =
  /\b(?:images?|pictures?|photos?|videos?|audio|(?<!\b(?:config|configuration|credentials?|env|key|on) )files?|attachments?|documents?|pdfs?|mcp|tools?|connectors?|plugins?|webhooks?|web ?search|search (?:vendor|provider|engine)|vector stores?|knowledge bases?|code interpreter|sandbox|repositor(?:y|ies)|skills?|containers?|buckets?|conversations?|(?:the|your|user) messages?|prompts?|guardrails?|metadata|(?:fetch|download)(?:ed|ing)?)\b/i;

/** A sentence that is about our account all the same, such as one that gives the reason. */
const OF_OURS =
  /^\s*your (?:\w+ )?(?:account|organi[sz]ation|workspace|team|project|(?:api[ _-]?)?key|credits?)\b(?!['’]s\b| (?:for|of|at|in|with)\b)/i;

/** How far into its message a refusal with a status of the request's own may begin. */
const AT_THE_BEGINNING = 40;

/** What the words of a 4xx say, whatever its status; `undefined` when they say no more than it does. */
export function faultOfWords(status: number, { message, param }: Words): Fault | undefined {
  if (tooLong(status, message)) return 'context_length';
  const said = message.replace(QUOTED, ' ');
  // An account may have been closed for what it sent.
  if (CONTENT_POLICY.test(message) && !early(AUTH, said)) return 'content_policy';
  const ofPart = isPart(param) || FIELD.test(said);
  if (OF_THE_ACCOUNT.has(status)) return ofPart ? refusesPart(status, said) : refusesAccount(status, said);
  if (NO_OBJECT.test(said) || NO_FEATURE.test(said)) return 'declined';
  if (ofPart) return status === 404 || status === 410 ? 'declined' : undefined;
  return (
    refuses(said) ?? lacks(status, said) ?? (status === 400 && param === 'model' ? 'no_endpoint' : undefined)
  );
}

/** Whether a parameter names a part of the request's content, which is all that is at fault then. */
export function isPart(param: string | undefined): boolean {
  return param !== undefined && !NO_PART.test(param);
}

/** Whether the prompt is too long, in words that can mean nothing else. */
export function saysTooLong(message: string): boolean {
  return tooLong(429, message);
}

function tooLong(status: number, message: string): boolean {
  if (LARGER_THAN_A_MINUTE.test(message) || LONG_COSTS_EXTRA.test(message)) return true;
  const found = CONTEXT_LENGTH.exec(message)?.[0].toLowerCase();
  // With this status they are too many in a minute.
  return found !== undefined && (status !== 429 || found !== 'too many tokens');
}

/** A status of the account that is about a part of the request. */
function refusesPart(status: number, said: string): Fault | undefined {
  if (status === 402 && TOO_EXPENSIVE.test(said)) return 'unaffordable';
  return status === 401 || status === 402 || status === 403 ? 'declined' : undefined;
}

function refusesAccount(status: number, said: string): Fault | undefined {
  const fault = blamesAccount(status, said) ?? lacks(status, said);
  if (fault || (status !== 401 && status !== 403)) return fault;
  return early(BROUGHT, said, (at) => !OF_OURS.test(sentenceAt(said, at))) ? 'declined' : undefined;
}

/** Whether the key or the account is at fault, where the status lets one expect it. */
function blamesAccount(status: number, said: string): Fault | undefined {
  // A rate limit of Google's is worded like a bill, and one of others advises to pay.
  if (status === 429) return isOurs(BILLING, said) ? 'billing' : undefined;
  if (TOO_EXPENSIVE.test(said) && status !== 401) return 'unaffordable';
  if (LACKS_RIGHTS.test(said)) return 'forbidden';
  if (isOurs(AUTH, said) || (status !== 402 && isOurs(TOKEN, said))) return 'auth';
  return isOurs(BILLING, said) || isOurs(ADD_CREDITS, said) ? 'billing' : undefined;
}

/** The same where the status speaks of the request: some vendors refuse a key with 400, and say so at once. */
function refuses(said: string): Fault | undefined {
  if (early(AUTH, said)) return 'auth';
  return early(BILLING, said) ? 'billing' : undefined;
}

function early(words: RegExp, said: string, holds = (at: number) => isOurs(words, said, at)): boolean {
  const at = words.exec(said)?.index ?? Infinity;
  return at <= AT_THE_BEGINNING && holds(at);
}

/** Whether words about a key or an account are about ours: what the request brings along may have its own. */
function isOurs(words: RegExp, said: string, at = words.exec(said)?.index): boolean {
  if (at === undefined) return false;
  const sentence = sentenceAt(said, at);
  // What stands before tells what they are about; what stands in a later sentence is advice.
  return OF_OURS.test(sentence) || !BROUGHT.test(said.slice(0, said.lastIndexOf('. ', at) + 1) + sentence);
}

function sentenceAt(said: string, at: number): string {
  const end = said.indexOf('. ', at);
  return said.slice(said.lastIndexOf('. ', at) + 1, end < 0 ? undefined : end);
}

/** Whether the provider lacks the model. */
function lacks(status: number, said: string): Fault | undefined {
  if (status === 429 || !NO_MODEL.test(said)) return undefined;
  // A 400 may be about anything that the request names.
  return status === 404 || status === 410 ? 'not_found' : 'no_endpoint';
}

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'i');
}
