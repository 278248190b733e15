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

/** How a refusal for the content is worded where no code says so. */
const CONTENT_POLICY =
  /content filtering policy|content management policy|rejected (?:as a result of|by) our safety system|violat\w+ (?:our |the )?(?:usage|content) polic|\b(?:input|prompt|content|request) (?:was|has been|is) flagged\b/i;

/** That the provider lacks the model, in its words; some say so with status 400. Bounded, for they come from outside. */
const NO_MODEL = anyOf(
  /\b(?:models?|deployment)\b\S*(?:\s+\S{1,200}){0,4}?\s+(?:not found\b|does(?: not|n't) exist|not exist\b|(?:is )?not available\b|not deployed\b|(?:has been |was )?(?:decommissioned|retired)\b|no longer (?:supported|available)\b)/,
  /\b(?:invalid|unknown|unsupported|no such) model\b/,
  /\bnot a valid model\b|\bmodel identifier is invalid\b|\bno endpoints found for\b|\bunable to access (?:\S+ )?model\b/,
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

/** Words that name our key, or the account as a whole. */
const AUTH = anyOf(
  /\b(?:incorrect|invalid|expired|revoked|disabled|deactivated|unknown|wrong|missing) (?:x-)?(?:api[ _-]?(?:key|token)|auth\w* token|bearer token|access token)/,
  /\bapi[ _-]?(?:key|token) (?:is |was |has been |has )?(?:not valid|invalid|incorrect|expired|revoked|disabled|deactivated|blocked|suspended)/,
  /\bno auth credentials\b|\binvalid authentication\b|\bsecurity token\b[^\n]{0,60}\b(?:invalid|expired)/,
  /\b(?:account|organi[sz]ation|workspace|team)\b(?:(?!\b(?:model|feature|endpoint|tool|access|has (?:disabled|blocked))\b)[^\n]){0,60}?\b(?:suspended|deactivated|disabled|banned|terminated|blocked|locked)\b/,
  /\b(?:user location|country, region,? or territory|free tier) (?:is )?not (?:supported|available)\b/,
);

/** Words about the token in a status that can be about nothing else. */
const TOKEN = /\b(?:invalid|expired|revoked|blocked)(?: \w+)? token\b/i;

/** That the key is good, but not for this: a key of few rights is no broken key. */
const LACKS_RIGHTS = /\bmissing scopes?\b|\binsufficient (?:permissions?|authentication scopes?|scopes?)\b/i;

/** Words that name the balance of the account as a whole. */
const BILLING =
  /\bcredit balance is too low\b|\binsufficient[ _](?:account )?(?:balance|quota|credits?|funds)\b|\bout of credits\b|\bkey limit exceeded\b|\bbilling (?:hard )?limit\b|\bbalance\b[^\n]{0,40}\b(?:negative|exhausted|too low)|\bcredits? (?:is |are |has been |have been )?(?:depleted|exhausted|used up)\b|\b(?:doesn't|does not|don't|do not) have any credits\b|\bused all available credits\b|\bmonthly spending limit\b/i;

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

/** How far into its message a refusal with a status of the request's own may begin. */
const AT_THE_BEGINNING = 40;

/** What the words of a 4xx say, whatever its status; `undefined` when they say no more than it does. */
export function faultOfWords(status: number, { message, param }: Words): Fault | undefined {
  if (tooLong(status, message)) return 'context_length';
  if (CONTENT_POLICY.test(message)) return 'content_policy';
  const said = message.replace(QUOTED, ' ');
  if (OF_THE_ACCOUNT.has(status)) return blamesAccount(status, said) ?? lacks(status, said);
  if (NO_OBJECT.test(said) || NO_FEATURE.test(said)) return 'declined';
  const ofField = (param !== undefined && param !== 'model') || FIELD.test(said);
  if (ofField) return status === 404 || status === 410 ? 'declined' : undefined;
  return (
    refuses(said) ?? lacks(status, said) ?? (status === 400 && param === 'model' ? 'no_endpoint' : undefined)
  );
}

function tooLong(status: number, message: string): boolean {
  if (LARGER_THAN_A_MINUTE.test(message)) return true;
  const found = CONTEXT_LENGTH.exec(message)?.[0].toLowerCase();
  // With this status they are too many in a minute.
  return found !== undefined && (status !== 429 || found !== 'too many tokens');
}

/** Whether the key or the account is at fault, where the status lets one expect it. */
function blamesAccount(status: number, said: string): Fault | undefined {
  // A rate limit of Google's is worded like a bill, and one of others advises to pay.
  if (status === 429) return BILLING.test(said) ? 'billing' : undefined;
  if (TOO_EXPENSIVE.test(said) && status !== 401) return 'unaffordable';
  if (LACKS_RIGHTS.test(said)) return 'forbidden';
  if (AUTH.test(said) || (status !== 402 && TOKEN.test(said))) return 'auth';
  return BILLING.test(said) || ADD_CREDITS.test(said) ? 'billing' : undefined;
}

/** The same where the status speaks of the request: some vendors refuse a key with 400, and say so at once. */
function refuses(said: string): Fault | undefined {
  const early = (words: RegExp) => (words.exec(said)?.index ?? Infinity) <= AT_THE_BEGINNING;
  if (early(AUTH)) return 'auth';
  return early(BILLING) ? 'billing' : undefined;
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
