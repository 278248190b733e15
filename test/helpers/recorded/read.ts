/** Recorded traffic of real providers, where it lies: every file is read, or left out for a reason. */
import type { Recorded } from './exchange.ts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cassette } from './cassettes.ts';
import { chunks, events, invoked, json, nock } from './files.ts';

const FOLDER = process.env.LLMPROXY_FIXTURES ?? join(import.meta.dir, '../../../../shared/fixtures');

/** Whether there are recordings; tests that need them are skipped where there are none. */
export const hasRecordings = existsSync(join(FOLDER, 'index.jsonl'));

export interface Unread {
  readonly file: string;
  readonly provider: string;
  readonly reason: string;
  /** Somebody has looked at it, and the reason holds. */
  readonly known: boolean;
}

interface Listed {
  readonly file: string;
  readonly provider: string;
}

/** All that is recorded, in the order of the index. */
export function readRecordings(): { recorded: Recorded[]; unread: Unread[] } {
  const index = readFileSync(join(FOLDER, 'index.jsonl'), 'utf8').trim().split('\n');
  const recorded: Recorded[] = [];
  const unread: Unread[] = [];
  for (const line of index) {
    const { file, provider } = JSON.parse(line) as Listed;
    try {
      const found = readFile(file, provider);
      recorded.push(...found.map(invoked));
      if (found.length === 0) unread.push({ file, provider, reason: noChat(file), known: true });
    } catch (cause) {
      unread.push({ file, provider, reason: `cannot be read: ${(cause as Error).message}`, known: false });
    }
  }
  return { recorded, unread };
}

/** Bodies alone, without an address, that are no chat; each has been looked at. */
const NO_CHAT: readonly (readonly [string, string])[] = [
  ['/skills/', "a vendor's skills"],
  ['/reranking/', 'ranking'],
  ['-embedding.json', 'embeddings'],
  ['/interactions/', "Google's interactions API"],
  ['-error.json', 'an error without its status'],
];

/** @throws Error for a file of a kind that nobody has looked at */
function noChat(file: string): string {
  const known = NO_CHAT.find(([part]) => file.includes(part));
  if (!known) throw new Error('a kind of file that is not known');
  return known[1];
}

function readFile(file: string, provider: string): Recorded[] {
  const bytes = readFileSync(join(FOLDER, file));
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const origin = { file, provider };
  if (/\.ya?ml(?:\.gz)?$/.test(file)) return cassette(text, origin);
  if (file.endsWith('.chunks.txt') || file.endsWith('.jsonl')) return chunks(text, origin);
  if (/\.(?:txt|sse)$/.test(file)) return events(text, origin);
  const found = json(text, origin);
  return found.length > 0 ? found : nock(text, origin);
}
