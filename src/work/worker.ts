/** The thread for long work. It is an entry point of its own in the compiled binary. */
import type { BytePairs } from '../wire/byte-pairs.ts';
import type { FromWorker, ToWorker } from './thread.ts';
import type { RedactKind } from '../config/redact-kinds.ts';
import type { ContentRedaction } from '../logs/content-redaction.ts';
import { lineOf } from '../logs/line-block.ts';
import type { LogRecord } from '../logs/record.ts';
import { Redaction } from '../logs/redaction.ts';
import { turns } from '../turns.ts';
import type { TokenReader } from '../wire/tokens.ts';
import { loadTokenReader, loadVocabulary } from '../wire/tokens.ts';

declare const self: Worker;

type Message<Kind extends ToWorker['kind']> = Extract<ToWorker, { kind: Kind }>;

let vocabulary: Promise<BytePairs> | undefined;
let reader: Promise<TokenReader> | undefined;
let redaction: Redaction | undefined;
/** What is redacted in the content of requests and answers. */
let content: readonly RedactKind[] = [];
let contentRedaction: Promise<ContentRedaction> | undefined;
/** The parts of texts received so far, by job. */
const handed = new Map<number, string[]>();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'secrets') {
    redaction = new Redaction(data);
    ({ content } = data);
  } else if (data.kind === 'forget') handed.delete(data.job);
  else if (data.kind === 'text') take(data);
  else void work(data);
});

function take({ job, text }: { readonly job: number; readonly text: string }): string[] {
  const texts = handed.get(job) ?? [];
  texts.push(text);
  handed.set(job, texts);
  return texts;
}

async function work(message: Message<'count' | 'line' | 'read'>): Promise<void> {
  const { job, ends } = message;
  const whole = take(message).join('');
  const texts = Array.from(ends, (end, n) => whole.slice(ends[n - 1] ?? 0, end));
  try {
    if (message.kind === 'line') await line(message, texts);
    else if (message.kind === 'read') await read(message, texts);
    else await count(message, texts);
  } catch (error) {
    // The parser's message quotes the text it failed on, which may be confidential: only the error's name is reported.
    reply({ kind: 'failed', job, reason: error instanceof Error ? error.name : typeof error });
  }
  handed.delete(job);
}

/** Counts in turns, so that a small request need not wait for a large one. */
async function count({ job }: Message<'count'>, texts: readonly string[]): Promise<void> {
  vocabulary ??= loadVocabulary();
  const loaded = await vocabulary;
  let tokens = 0;
  for (const text of texts) {
    for (const counting = loaded.count(text); ;) {
      const step = counting.next();
      await turns.pause();
      if (!handed.has(job)) return;
      if (!step.done) continue;
      tokens += step.value;
      break;
    }
  }
  reply({ kind: 'counted', job, tokens });
}

async function read({ job }: Message<'read'>, lists: readonly string[]): Promise<void> {
  reader ??= loadTokenReader();
  const loaded = await reader;
  const texts = lists.map((tokens) => (tokens === '' ? '' : loaded(tokens.split(',').map(Number))));
  reply({ kind: 'read', job, texts });
}

async function line({ job, record, parts }: Message<'line'>, texts: readonly string[]): Promise<void> {
  if (!redaction) throw new Error('Cannot encode a record: the secrets are not known yet');
  const large = Object.fromEntries(parts.map((part, n) => [part, texts[n]!]));
  const whole = { ...record, ...large };
  const shown = content.length === 0 ? whole : await withoutPersonal(whole);
  const bytes = new Uint8Array(lineOf(shown, redaction));
  reply({ kind: 'line', job, bytes }, [bytes.buffer]);
}

/** Its rules are loaded only when they are needed. */
async function withoutPersonal(record: LogRecord): Promise<LogRecord> {
  contentRedaction ??= import('../logs/content-redaction.ts').then(
    (loaded) => new loaded.ContentRedaction(content),
  );
  return (await contentRedaction).redact(record);
}

function reply(message: FromWorker, memory: ArrayBuffer[] = []): void {
  self.postMessage(message, memory);
}
