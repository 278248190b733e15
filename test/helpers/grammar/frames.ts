import type { JsonObject } from '../../../src/wire/json.ts';
import { ANSWER_BOUNDS, isObject, parseJson } from '../../../src/wire/json.ts';

/** One event of a stream, with its name if it has one. */
export interface Frame {
  readonly name: string | undefined;
  readonly data: string;
  /** The data as JSON, if it is an object. */
  readonly value: JsonObject | undefined;
}

/** The violations of the grammar that were found in a stream. */
export type Problems = string[];

/**
 * The events of a stream that this project wrote: LF only, one `data` line per event, a blank line after each.
 * Comments are left out.
 */
export function framesOf(sse: string, problems: Problems): Frame[] {
  if (sse === '') return [];
  if (!sse.endsWith('\n\n')) problems.push('the last event has no blank line');
  if (sse.includes('\r')) problems.push('there are carriage returns');
  return sse
    .split('\n\n')
    .filter((block) => block !== '')
    .flatMap((block, index) => {
      const lines = block.split('\n').filter((line) => !line.startsWith(':'));
      if (lines.length === 0) return [];
      const names = lines.filter((line) => line.startsWith('event: '));
      const data = lines.filter((line) => line.startsWith('data: '));
      if (data.length !== 1 || names.length > 1 || names.length + data.length !== lines.length) {
        problems.push(`event ${index} is not one line of data: ${block}`);
      }
      const text = (data[0] ?? '').slice('data: '.length);
      const value = parseJson(text, ANSWER_BOUNDS);
      return {
        name: names[0]?.slice('event: '.length),
        data: text,
        value: isObject(value) ? value : undefined,
      };
    });
}
