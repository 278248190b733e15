/** Changes JSON text in place: everything else, such as white space and digits, stays as it was written. */
import { stringEnd } from './json-string-end.ts';

const [QUOTE, MINUS, COLON] = [0x22, 0x2d, 0x3a];
const [OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d];
const BEHIND_NAME = /\s*:/y;
const NUMBER = /-?\d[\d.eE+-]*/y;

/** Changes the elements of JSON text. Each function returns the same string if nothing is to be changed. */
export interface JsonVisitor {
  readonly name: (name: string) => string;
  /** @param label the name of the field that contains the text */
  readonly text: (text: string, label: string) => string;
  /** @param digits as they are written; any other result becomes a string */
  readonly number: (digits: string, label: string) => string;
}

/** Whether a text is JSON other than a plain word or number. */
export function isJsonText(text: string): boolean {
  if (!/^\s*[[{"]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @param json valid JSON text */
export function changedJson(json: string, visitor: JsonVisitor): string {
  const outer: string[] = [];
  let label = '';
  let out = '';
  let from = 0;
  const put = (begin: number, end: number, changed: string) => {
    out += json.slice(from, begin) + changed;
    from = end;
  };
  for (let at = 0; at < json.length;) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const end = stringEnd(json, at + 1) + 1;
      const text = JSON.parse(json.slice(at, end)) as string;
      BEHIND_NAME.lastIndex = end;
      const isName = BEHIND_NAME.test(json);
      const changed = isName ? visitor.name(text) : visitor.text(text, label);
      if (isName) label = text;
      if (changed !== text) put(at, end, JSON.stringify(changed));
      at = end;
    } else if (char === MINUS || (char >= 0x30 && char <= 0x39)) {
      NUMBER.lastIndex = at;
      const digits = NUMBER.exec(json)![0];
      const changed = visitor.number(digits, label);
      if (changed !== digits) put(at, at + digits.length, JSON.stringify(changed));
      at += digits.length;
    } else {
      if (char === OPEN_LIST || char === OPEN_OBJECT) outer.push(label);
      else if (char === CLOSE_LIST || char === CLOSE_OBJECT) label = outer.pop() ?? '';
      at += 1;
    }
  }
  return from === 0 ? json : out + json.slice(from);
}

/** How many names of fields are in valid JSON text. */
export function namesIn(json: string): number {
  let names = 0;
  for (let at = 0; at < json.length;) {
    const char = json.charCodeAt(at);
    if (char === COLON) names += 1;
    at = char === QUOTE ? stringEnd(json, at + 1) + 1 : at + 1;
  }
  return names;
}
