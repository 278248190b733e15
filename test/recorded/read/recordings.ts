/** Recorded traffic of real providers, if available: every file is read, or skipped for a reason. */
import type { Json } from './json.ts';
import type { Recorded } from './exchange.ts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cassette } from './cassettes.ts';
import { chunks, events, invoked, json, nock } from './files.ts';
import { listOf, objectOf, parseJson } from './json.ts';

const FOLDER = process.env.LLMPROXY_FIXTURES ?? join(import.meta.dir, '../../../../shared/fixtures');

/** Whether there are recordings; tests that need them are skipped otherwise. */
export const hasRecordings = existsSync(join(FOLDER, 'index.jsonl'));

interface Listed {
  readonly file: string;
  readonly provider: string;
}

export interface Recordings {
  readonly recorded: readonly Recorded[];
  /** Descriptions of what files contain besides exchanges. */
  readonly others: readonly string[];
  /** Files of an unknown kind, with the problem. */
  readonly unread: readonly string[];
}

/** All recordings, in the order of the index. */
export function readRecordings(): Recordings {
  const index = readFileSync(join(FOLDER, 'index.jsonl'), 'utf8').trim().split('\n');
  const recorded: Recorded[] = [];
  const others: string[] = [];
  const unread: string[] = [];
  for (const line of index) {
    const { file, provider } = JSON.parse(line) as Listed;
    try {
      const text = textIn(file);
      const found = readFile(text, file, provider);
      recorded.push(...found.map(invoked));
      if (found.length === 0) others.push(bodyAlone(text));
    } catch (cause) {
      unread.push(`${file}: ${(cause as Error).message}`);
    }
  }
  return { recorded, others, unread };
}

/** Bodies without a URL that are not chats, by their shape. */
const ALONE: readonly (readonly [(body: Json) => boolean, string])[] = [
  [({ error, type }) => error !== undefined || type === 'error', 'an error without its status'],
  [({ object }) => object === 'text_completion', 'a completion of a text'],
  [({ results, data }) => isRanked(objectOf(listOf(results ?? data)[0])), 'ranking'],
  [({ embedding, embeddings }) => embedding !== undefined || embeddings !== undefined, 'embeddings'],
  [({ data }) => 'embedding' in objectOf(listOf(data)[0]), 'embeddings'],
  [({ steps, outputs }) => Array.isArray(steps ?? outputs), "Google's interactions API"],
  [({ event_type }) => event_type !== undefined, "Google's interactions API"],
  [({ latest_version, skill_id }) => (latest_version ?? skill_id) !== undefined, "a vendor's skills"],
];

function isRanked(first: Json): boolean {
  return 'relevance_score' in first || 'relevanceScore' in first;
}

/** @throws Error for a body of an unknown kind */
function bodyAlone(text: string): string {
  const [line = ''] = text.trim().split('\n');
  const body = objectOf(parseJson(text) ?? parseJson(line.replace(/^data: ?/, '')));
  const known = ALONE.find(([fits]) => fits(body))?.[1];
  if (known === undefined)
    throw new Error(`a kind of file that is not known: ${text.slice(0, 120).replaceAll(/\s+/g, ' ')}`);
  return known;
}

function textIn(file: string): string {
  const bytes = readFileSync(join(FOLDER, file));
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

function readFile(text: string, file: string, provider: string): Recorded[] {
  const origin = { file, provider };
  if (/\.ya?ml(?:\.gz)?$/.test(file)) return cassette(text, origin);
  if (file.endsWith('.chunks.txt') || file.endsWith('.jsonl')) return chunks(text, origin);
  if (/\.(?:txt|sse)$/.test(file)) return events(text, origin);
  const found = json(text, origin);
  return found.length > 0 ? found : nock(text, origin);
}
