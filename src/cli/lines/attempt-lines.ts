/** Prints the attempts of a request, for level debug and for `llmproxy logs show`. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, numberOf, stringOf } from '../../wire/json.ts';
import { count, span } from './figures.ts';
import type { Paint } from './paint.ts';
import { name } from './request-line.ts';

/** One line per attempt: "1. groq/llama-3.3  429 rate_limited  80ms". */
export function attemptLines({ attempt_log: attempts }: JsonObject, paint: Paint): string[] {
  const all = listOf(attempts).filter(isObject);
  const widest = Math.max(0, ...all.map(({ target }) => Bun.stringWidth(name(target))));
  return all.map((attempt, index) => {
    const { target, fault, status, ms } = attempt;
    const shown = name(target);
    const ended = fault === null ? paint.green('answered') : paint.red(name(fault));
    const code = numberOf(status) === undefined ? '---' : String(numberOf(status));
    const reported = [numberOf(attempt.input_tokens), numberOf(attempt.output_tokens)];
    const used = reported.some((tokens) => tokens !== undefined)
      ? ` used ${reported.map((tokens) => count(tokens ?? 0)).join('+')}`
      : '';
    const padding = ' '.repeat(widest - Bun.stringWidth(shown));
    return `${index + 1}. ${shown}${padding} ${code} ${span(numberOf(ms) ?? 0).padStart(5)} ${ended}${used}`;
  });
}

/** Further facts about a request: labels and values. */
export function detailsOf(record: JsonObject): [word: string, value: string][] {
  const { id, endpoint, stream, lane, finish, cached_tokens: cached, reasoning_tokens: reasoning } = record;
  const first = numberOf(record.first_content_ms);
  const named = (word: string, value: unknown): [string, string][] =>
    typeof value === 'string' && value !== '' ? [[word, name(value)]] : [];
  const tokens = (word: string, value: unknown): [string, string][] =>
    numberOf(value) ? [[word, count(numberOf(value)!)]] : [];
  return [
    ['id', stringOf(id) === undefined ? '-' : name(id)],
    ['endpoint', `${name(endpoint)}${stream === true ? ' stream' : ''}`],
    ...named('lane', lane),
    ...(first === undefined ? [] : [['first content', span(first)] satisfies [string, string]]),
    ...named('finish', finish),
    ...tokens('cached', cached),
    ...tokens('reasoning', reasoning),
    ...named('group', record.group),
    ...named('conversation', record.conversation),
    ...named('user', record.user),
    ...named('client', record.user_agent),
  ];
}
