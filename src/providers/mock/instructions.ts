/** What people ask a model when they try out a program: an exact answer, a tool call, an object with certain keys. */
import type { ChatRequest } from '../../wire/chat.ts';
import { textOf } from './text.ts';

/** Programs add text of their own to user messages, which is not part of the question. */
const REMINDER = /<(system-reminder|environment_context|user_instructions)>[\s\S]*?<\/\1>/g;

/** How much of a text is examined: anything longer is not a question. */
const LOOKED_AT = 4_000;

/** The user's last message without what programs add to it; only its end if it is long. */
export function questionIn({ messages }: Pick<ChatRequest, 'messages'>): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content;
  return textOf(content).slice(-100_000).replace(REMINDER, '').trim();
}

/** A quoted text, with any kind of quotes; an apostrophe within a word is not a quote. */
const QUOTED = /(?<!\w)(?:"([^"\n]{1,500})"|'([^'\n]{1,500})'|`([^`\n]{1,500})`|“([^”\n]{1,500})”)(?!\w)/g;

/** The quoted texts, in order. */
export function quotedIn(text: string): string[] {
  return [...text.slice(-LOOKED_AT).matchAll(QUOTED)].map((found) =>
    found.slice(1).find((each) => each !== undefined)!,
  );
}

/** The numbers in a text, in order. */
export function numbersIn(text: string): number[] {
  return (text.slice(-LOOKED_AT).match(/(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)/g) ?? []).map(Number);
}

/** Names in a text: capitalised words that do not begin a sentence. */
export function namesIn(text: string): string[] {
  return [...text.slice(-LOOKED_AT).matchAll(/(?<=[a-z,;] )[A-Z][\p{L}'-]+(?: [A-Z][\p{L}'-]+)*/gu)].map(
    ([name]) => name,
  );
}

const VERB = '(?:reply|respond|answer|say|output|return|write|print|repeat)';
/** "Reply with exactly: X", to the end of the line. */
const EXACTLY = new RegExp(
  `\\b${VERB}\\b[^.:\\n]{0,40}?\\bexactly\\b(?:\\s+(?:with|this|these|the|following|single|words?|text|string|phrase|sentence|and nothing else)\\b)*\\s*[:,-]?\\s*(\\S[^\\n]*)`,
  'i',
);
/** "Answer only with the word X". */
const ONLY = new RegExp(
  `\\b${VERB}\\b(?:\\s+(?:back|me|only|just))*(?:\\s+with)?(?:\\s+(?:only|just))*\\s+the\\s+(?:single\\s+)?(?:word|text|phrase|string)\\s*:?\\s+(\\S+)`,
  'i',
);

/** The exact answer that the user demands; `undefined` if there is no such demand. */
export function exactReply(question: string): string | undefined {
  // Some programs put the whole question in quotes.
  const text = question.slice(-LOOKED_AT).replace(/^"([^"]*)"$/, '$1');
  const wanted = EXACTLY.exec(text)?.[1] ?? ONLY.exec(text)?.[1];
  if (wanted === undefined) return undefined;
  const [, , quoted] = /^(["'`“])(.+?)["'`”]/.exec(wanted) ?? [];
  if (quoted !== undefined) return quoted;
  // A full stop after a single word ends the sentence and is not part of the word.
  return wanted
    .replace(/\s+and nothing else\W*$/i, '')
    .replace(/^(\S+)[.!]$/, '$1')
    .trim();
}

/** The keys that an object should have: quoted words if the text mentions keys, or those of an object it shows. */
export function keysIn(text: string): string[] {
  const shown = [...text.slice(-LOOKED_AT).matchAll(/["']([\w -]{1,60})["']\s*:/g)].map(([, key]) => key!);
  const quotedNames = /\b(?:keys?|fields?|propert(?:y|ies)|attributes?)\b/i.test(text) ? quotedIn(text) : [];
  return [...new Set(shown.length > 0 ? shown : quotedNames)].filter((key) => /^[\w -]{1,60}$/.test(key));
}

/** Words that do not tell what a tool does. */
const COMMON = new Set(['tool', 'function', 'call', 'with', 'from', 'data', 'mcp', 'list', 'make', 'find']);

/**
 * The tools that the user asks for: those mentioned by name; otherwise the first that shares a word of its name with
 * the question; otherwise, if some tool is to be used, the first of all.
 */
export function requestedTools(question: string, names: readonly string[]): readonly string[] {
  const text = question.slice(-LOOKED_AT);
  const named = names.filter((name) => new RegExp(`(?<![\\w-])${RegExp.escape(name)}(?![\\w-])`).test(text));
  if (named.length > 0) return named;
  const words = new Set(text.toLowerCase().match(/[\p{L}\d]+/gu) ?? []);
  const byWord = names.find((name) => wordsOf(name).some((word) => words.has(word)));
  if (byWord !== undefined) return [byWord];
  return /\b(?:use|call|invoke|run|try)\b[^.?!\n]{0,40}\b(?:tools?|functions?)\b/i.test(text)
    ? names.slice(0, 1)
    : [];
}

/** `getCurrentWeather` and `get_current_weather` both contain the word "weather". */
function wordsOf(name: string): string[] {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return words.filter((word) => word.length > 3 && !COMMON.has(word));
}
