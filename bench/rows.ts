import type { Row } from './row.ts';
import { limited, relay, translated } from './rows/chat.ts';
import { largeAnswers, largeRequests } from './rows/large.ts';
import { addedChat, addedFirstByte } from './rows/latency.ts';
import { afterAborts, afterLoad } from './rows/memory.ts';
import { start } from './rows/start.ts';
import { streams, translatedStreams } from './rows/streams.ts';

const ROWS: readonly Row[] = [
  start,
  relay,
  translated,
  limited,
  streams,
  translatedStreams,
  addedChat,
  addedFirstByte,
  largeRequests,
  largeAnswers,
  afterAborts,
  afterLoad,
];

/**
 * The rows with these names, or all. A quick run leaves out those that need a process of their own, unless they are
 * named.
 * @throws on a name that no row has
 */
export function rowsNamed(names: readonly string[] | undefined, quick: boolean): readonly Row[] {
  const unknown = names?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    const known = ROWS.map(({ name }) => name).join(', ');
    throw new Error(`Cannot measure ${unknown}: expected ${known}`);
  }
  return ROWS.filter((row) => (names ? names.includes(row.name) : !quick || row.alone === undefined));
}
