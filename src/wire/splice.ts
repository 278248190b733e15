import { ProxyError } from '../errors.ts';

const KEY = '"model"';

/** Where the values of the top-level `model` keys stand in JSON text. */
function modelSpans(text: string): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  let depth = 0;
  let expectKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      const end = stringEnd(text, at);
      if (depth === 1 && expectKey) {
        expectKey = false;
        if (JSON.parse(text.slice(at, end)) === 'model') spans.push(valueSpan(text, end));
      }
      at = end - 1;
    } else if (char === '{' || char === '[') {
      depth += 1;
      expectKey = depth === 1 && char === '{';
    } else if (char === '}' || char === ']') depth -= 1;
    else if (char === ',' && depth === 1) expectKey = true;
  }
  return spans;
}

/** The index behind the closing quote of the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function valueSpan(text: string, keyEnd: number): { start: number; end: number } {
  const start = text.indexOf('"', text.indexOf(':', keyEnd));
  return { start, end: start < 0 ? start : stringEnd(text, start) };
}

/** Whether a second top-level `model` hides in the text: what is routed by must be what is sent. */
export function hasDuplicateModel(text: string): boolean {
  const first = text.indexOf(KEY);
  // One plain spelling and no escaped one: nothing can hide.
  if (first >= 0 && text.indexOf(KEY, first + 1) < 0 && !/\\u00[46]/i.test(text)) return false;
  return modelSpans(text).length > 1;
}

/**
 * Replaces the value of the top-level `model` in JSON text; every other character stays as it is.
 * @param text a JSON object whose `model` is a string
 * @throws ProxyError `invalid_request` when it is given twice
 */
export function spliceModel(text: string, replacement: string): string {
  const [span, second] = modelSpans(text);
  if (second)
    throw new ProxyError('invalid_request', 'Cannot read the request: "model" is given twice', {
      param: 'model',
    });
  if (!span || span.start < 0) return text;
  return text.slice(0, span.start) + JSON.stringify(replacement) + text.slice(span.end);
}
