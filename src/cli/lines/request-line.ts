/** A request on one line: for `serve` and for `llmproxy logs`. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, numberOf, stringOf } from '../../wire/json.ts';
import { dollars } from '../amounts.ts';
import { plainLine } from '../wrap.ts';
import type { Paint } from './paint.ts';
import { count, span } from './figures.ts';

/** How many characters at the end of an id identify it: `llmproxy logs show` accepts them. */
const SHORT_ID = 8;
/** Error messages are cut at the edge of a terminal, but not below this width. */
const LEAST_WORDS = 24;
/** The longest error message if there is no terminal, characters. */
const MOST_WORDS = 300;
/** The longest name of a key or model that is shown in full, characters: clients choose model names. */
const MOST_NAME = 80;

export interface LineOptions {
  /** The width of the terminal; `Infinity` when the output is not a terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** The time in the form to show. */
  readonly time: (record: JsonObject) => string;
}

/**
 * The line of a record. Names in it contain no control characters.
 * @param record the record, or its head with the fields before the request
 */
export function requestLine(record: JsonObject, { width, paint, time }: LineOptions): string {
  const parts = [
    paint.dim(time(record)),
    paint.dim(shortId(record)),
    statusText(record, paint),
    paint.dim(span(numberOf(record.latency_ms) ?? 0).padStart(5)),
    ...(record.key === null || record.key === undefined ? [] : [name(record.key)]),
    wayText(record),
    ...tokensText(record),
    ...costText(record),
    ...detoursText(record).map(paint.yellow),
  ];
  const line = parts.filter((part) => part !== '').join(' ');
  const words = wordsOf(record);
  if (words === undefined) return line;
  const room = Math.max(LEAST_WORDS, width - Bun.stringWidth(line) - 1);
  return `${line} ${paint.red(cut(words, Math.min(room, MOST_WORDS)))}`;
}

export function shortId({ id }: JsonObject): string {
  return name(stringOf(id)?.slice(-SHORT_ID) ?? '-');
}

function statusText({ status, outcome }: JsonObject, paint: Paint): string {
  const text = String(numberOf(status) ?? '---');
  if (outcome === 'success') return paint.green(text);
  return outcome === 'error' ? paint.red(text) : paint.yellow(text);
}

/** The requested model, and the target that answered or was tried last: "smart → openai/gpt-5-mini". */
function wayText({
  endpoint,
  model,
  provider,
  upstream_model: upstream,
  passed,
  feedback,
}: JsonObject): string {
  if (isObject(feedback)) return `feedback on ${name(stringOf(feedback.request_id)?.slice(-SHORT_ID))}`;
  const requested = isObject(passed)
    ? `${name(passed.method)} ${name(passed.path)}`
    : name(stringOf(model) || endpoint);
  if (typeof provider !== 'string') return requested;
  const target = typeof upstream === 'string' ? `${provider}/${upstream}` : provider;
  const says = name(target);
  return requested === says || model === upstream ? says : `${requested} → ${says}`;
}

function tokensText({ input_tokens: input, output_tokens: output, estimate }: JsonObject): string[] {
  const guessed = isObject(estimate);
  const [into, out] = guessed ? [estimate.input_tokens, estimate.output_tokens] : [input, output];
  if (numberOf(into) === undefined && numberOf(out) === undefined) return [];
  const text = (value: unknown) => (numberOf(value) === undefined ? '?' : count(numberOf(value)!));
  return [`${guessed ? '~' : ''}${text(into)}+${text(out)}`];
}

/** The cost including failed attempts; a question mark if the model has no known price. */
function costText({ cost, input_tokens: input, estimate, failed }: JsonObject): string[] {
  const own = isObject(estimate) ? estimate.cost : cost;
  const others = isObject(failed) ? numberOf(failed.cost) : undefined;
  const usd = numberOf(own);
  if (usd !== undefined || others !== undefined) return [dollars((usd ?? 0) + (others ?? 0))];
  return numberOf(input) === undefined ? [] : ['$?'];
}

/** The failures before the last attempt. */
function detoursText({ attempt_log: attempts, outcome }: JsonObject): string[] {
  const failed = listOf(attempts)
    .filter(isObject)
    // An attempt that lost a race has not failed.
    .filter(({ fault }) => typeof fault === 'string' && fault !== 'hedge_lost');
  // The final failure of a failed request is printed separately.
  const before = outcome === 'success' ? failed : failed.slice(0, -1);
  if (before.length === 0) return [];
  const names = before.map(({ target, fault, status }) => {
    const code = numberOf(status) === undefined ? '' : ` ${numberOf(status)}`;
    return `${name(target)}${code} ${name(fault)}`;
  });
  return [`after ${[...Map.groupBy(names, (each) => each)].map(times).join(', ')}`];
}

function times([text, all]: readonly [string, readonly string[]]): string {
  return all.length === 1 ? text : `${all.length}× ${text}`;
}

/** Why the request failed; `undefined` if it succeeded. */
function wordsOf({ outcome, fault, error }: JsonObject): string | undefined {
  if (outcome === 'success') return undefined;
  const words = plainLine((stringOf(error) ?? '').slice(0, 4 * MOST_WORDS));
  if (outcome === 'client_abort') return 'aborted by the client';
  const what = name(fault ?? outcome);
  const kind = outcome === 'truncated' ? `cut, ${what}` : what;
  return words === '' ? kind : `${kind}: ${words}`;
}

/** A name in a form that is safe to print: clients choose some of them, and must not control the terminal. */
export function name(value: unknown): string {
  // It may be as long as a request.
  const text = plainLine((stringOf(value) ?? '').slice(0, 4 * MOST_NAME));
  return text === '' ? '-' : cut(text, MOST_NAME);
}

/** The text, cut to a width. */
function cut(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  let shown = '';
  for (const letter of text) {
    if (Bun.stringWidth(shown + letter) >= columns) break;
    shown += letter;
  }
  return `${shown.trimEnd()}…`;
}
