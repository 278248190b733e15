/** The thread for what takes long. An entry point of its own in the compiled binary. */
import type { BytePairs } from '../wire/byte-pairs.ts';
import type { FromWorker, ToWorker } from './thread.ts';
import { encodeRecord } from '../logs/record.ts';
import { redactor } from '../logs/redact.ts';
import { loadVocabulary } from '../wire/tokens.ts';

declare const self: Worker;

type Message<Kind extends ToWorker['kind']> = Extract<ToWorker, { kind: Kind }>;

let vocabulary: Promise<BytePairs> | undefined;
let redact: ReturnType<typeof redactor> | undefined;
/** Jobs in work that somebody still waits for. */
const wanted = new Set<number>();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'secrets') redact = redactor(data);
  else if (data.kind === 'forget') wanted.delete(data.job);
  else void work(data);
});

async function work(message: Message<'count' | 'line'>): Promise<void> {
  const { job } = message;
  wanted.add(job);
  try {
    if (message.kind === 'line') line(message);
    else await count(message);
  } catch (error) {
    // A parser's message quotes the text it stumbled over, which may be anything: only its name is told.
    reply({ kind: 'failed', job, reason: error instanceof Error ? error.name : typeof error });
  }
  wanted.delete(job);
}

/** Counts in steps, so that a small request does not wait for the end of a large one. */
async function count({ job, text, ends }: Message<'count'>): Promise<void> {
  const loaded = await (vocabulary ??= loadVocabulary());
  let tokens = 0;
  let start = 0;
  let pauseAt = performance.now() + STEP_MS;
  for (const end of ends) {
    const counting = loaded.count(text.slice(start, end));
    start = end;
    for (let step = counting.next(); ; step = counting.next()) {
      if (step.done) tokens += step.value;
      if (performance.now() > pauseAt) {
        await new Promise((resolve) => setImmediate(resolve));
        if (!wanted.has(job)) return;
        pauseAt = performance.now() + STEP_MS;
      }
      if (step.done) break;
    }
  }
  reply({ kind: 'counted', job, tokens });
}

const STEP_MS = 5;

function line({ job, record }: Message<'line'>): void {
  if (!redact) throw new Error('Cannot encode a record: the secrets are not known yet');
  const bytes = new TextEncoder().encode(redact(encodeRecord(record)));
  reply({ kind: 'line', job, bytes }, [bytes.buffer]);
}

function reply(message: FromWorker, memory: ArrayBuffer[] = []): void {
  self.postMessage(message, memory);
}
