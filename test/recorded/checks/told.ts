import type { Got } from '../lab/lab.ts';
import { textOf } from '../read/exchange.ts';

/** What a client is told was left out: by headers, or by comments within a stream. */
export function toldLeftOut({ headers, body }: Got): string {
  const named = [...headers].filter(([name]) => /^x-llmproxy-.*(?:dropped|lost|left|omitted)/.test(name));
  const text = textOf(body);
  const comments = text.startsWith('{') ? [] : text.split('\n').filter((line) => line.startsWith(':'));
  return [...named.map(([, value]) => value), ...comments].join('\n');
}
