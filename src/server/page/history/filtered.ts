/** The page's filter as a test of log lines: first on the bytes that many heads share, then on the whole head. */
import type { RecordTest } from '../../../logs/newest/newest.ts';
import type { AnyHead } from '../../../web/filter/matches.ts';
import type { Filter, Term } from '../../../web/filter/parse.ts';
import { HeadScan } from '../../../logs/head.ts';
import { matcher } from '../../../web/filter/matches.ts';
import { isObject, parseJson } from '../../../wire/json.ts';

/** What {@link HeadScan.shared} returns for a line. */
const SHARED: ReadonlySet<string> = new Set([
  'outcome',
  'failed',
  'status',
  'endpoint',
  'stream',
  'model',
  'provider',
  'finish',
]);

/** The number of cached heads: a log has few different ones. */
const MAX_REMEMBERED = 1_000;

/** Feedback refers to requests and is not one. */
const NO_REQUEST = 'feedback';

/** Whether a record is a request that matches the filter. */
export function isWanted(filter: Filter): (head: AnyHead) => boolean {
  const matches = matcher(filter);
  return (head) => head.endpoint !== NO_REQUEST && matches(head);
}

/** Only the first step: lines that pass may still not match. */
export function overBlocks({ terms }: Filter): NonNullable<RecordTest['over']> {
  const own = terms.filter(({ field }) => SHARED.has(field));
  const may = remembered(sharedTest(own));
  return (block) => {
    const heads = new HeadScan(block);
    return (from, to) => {
      const shared = heads.shared(from, to);
      return shared === undefined || may(shared);
    };
  };
}

function sharedTest(terms: readonly Term[]): (shared: string) => boolean {
  const matches = isWanted({ terms, problems: [] });
  return (shared) => {
    // It begins with the quote that ends the id.
    const head = parseJson(`{"id":"${shared}}`);
    return !isObject(head) || matches(head);
  };
}

function remembered(test: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = test(text);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(text, answer);
    }
    return answer;
  };
}
