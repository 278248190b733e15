/** The thread for long work. It is an entry point of its own in the compiled binary. */
import type { BytePairs } from '../wire/byte-pairs.ts';
import type { FromWorker, ToWorker } from './thread.ts';
import type { RedactKind } from '../config/redact-kinds.ts';
import type { ContentRedaction } from '../logs/content-redaction.ts';
import { lineOf } from '../logs/line-block.ts';
import type { RedactRequest } from '../redact/outward/redact-request.ts';
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
let outward: Promise<{ readonly redactRequest: RedactRequest }> | undefined;
/** The parts of texts received so far, by job. */
const handed = new Map<number, string[]>();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'secrets') {
    redaction = new Redaction(data);
    ({ content } = data);
  } else if (data.kind === 'forget') handed.delete(data.job);
  else if (data.kind === 'text') take(data);
  else if (data.kind === 'redact') void redact(data);
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
    reply({ kind: 'failed', job, reason: nameOf(error) });
  }
  handed.delete(job);
}

/** The name of an error: a parser's message quotes the text it failed on, which may be confidential. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
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

/** Redacts a request synchronously: the thread is terminated from outside if this takes too long. */
async function redact({ job, bytes, rule }: Message<'redact'>): Promise<void> {
  try {
    outward ??= import('../redact/outward/redact-request.ts');
    const { redactRequest } = await outward;
    const { bytes: changed, values: found, counts } = redactRequest(bytes, rule);
    const values = new TextEncoder().encode(JSON.stringify(found));
    const buffers = changed ? [changed.buffer, values.buffer] : [values.buffer];
    reply({ kind: 'redacted', job, bytes: changed, values, counts }, buffers);
  } catch (error) {
    if (error instanceof Error && error.name === 'Unsearchable')
      reply({ kind: 'unsearchable', job, what: error.message });
    else reply({ kind: 'failed', job, reason: nameOf(error) });
  }
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
