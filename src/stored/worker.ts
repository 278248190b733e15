/** The thread with the stored responses. It is an entry point of its own in the compiled binary. */
import type { Database } from 'bun:sqlite';
import type { StoredOptions } from './entries.ts';
import type { FromStore, Tables, ToStore } from './messages.ts';
import type { SharedTables } from './shared/shared-tables.ts';
import { Redaction } from '../logs/redaction.ts';
import { StoredConversations } from './conversations.ts';
import { StoredBackground } from './background.ts';
import { lockStored, openStored } from './file.ts';
import { StoredResponses } from './responses.ts';
import { NoRoom } from './room.ts';
import { ResponseRows } from './rows.ts';
import { shareThrough } from './shared/share.ts';

declare const self: Worker;

/** The interval at which expired data is deleted, milliseconds. */
const SWEEP_MS = 60_000;

/**
 * Another process may be about to write what is requested: these are the delays before it is looked up again,
 * milliseconds.
 */
const AGAIN_MS = [20, 40, 80, 160, 320];

/** All data is copied. */
const NOTHING: ArrayBuffer[] = [];

let redaction = new Redaction({ secrets: [], keys: [] });
let shared = false;
let opened: { readonly db: Database; readonly tables: Tables } | undefined;
/** The data shared with other machines. */
let others: { readonly tables: SharedTables; readonly close: () => void } | undefined;
/** Pending calls: some wait for others. */
const underWay = new Set<Promise<void>>();
/** The claim on the file, held by this thread. */
let lock: Database | undefined;

self.addEventListener('message', ({ data }: MessageEvent<ToStore>) => {
  if (data.kind === 'open') open(data);
  else if (data.kind === 'options') configure(data.options);
  else if (data.kind === 'secrets') redaction = new Redaction(data);
  else if (data.kind === 'close') void close(data.job);
  else begin(data);
});

function open({ directory, options, redis }: Extract<ToStore, { kind: 'open' }>): void {
  shared = options.isShared || redis !== undefined;
  const db = opening(directory);
  const redact = (text: string) => redaction.redact(text);
  const rows = new ResponseRows(db, options, redact);
  const responses = new StoredResponses(rows);
  const conversations = new StoredConversations(db, options, redact);
  opened = { db, tables: { responses, background: new StoredBackground(rows), conversations } };
  others = redis && shareThrough(redis, { db, rows, call, report: reply });
  if (!options.isShared && directory !== undefined) takeOver(directory, rows);
  others?.tables.begin();
  const sweep = () => {
    try {
      responses.sweep(Date.now());
      others?.tables.sweep().catch(trouble);
    } catch (thrown) {
      // A write that fails now is repeated by the next sweep.
      trouble(thrown);
    }
  };
  sweep();
  setInterval(sweep, SWEEP_MS).unref();
}

/** No other process uses the file: responses of the previous process are no longer running. */
function takeOver(directory: string, rows: ResponseRows): void {
  try {
    lock = lockStored(directory);
    if (lock) rows.failLeft(Date.now());
  } catch (thrown) {
    trouble(thrown);
  }
}

function opening(directory: string | undefined): Database {
  try {
    return openStored(directory);
  } catch (thrown) {
    if (directory === undefined) throw thrown;
    reply({ kind: 'trouble', reason: `${reasonOf(thrown)}; they are kept in memory until a restart` });
    return openStored(undefined);
  }
}

function configure(options: StoredOptions): void {
  opened?.tables.responses.configure(options);
  opened?.tables.conversations.configure(options);
}

/** Calls are started in order. */
function begin(called: Extract<ToStore, { kind: 'call' }>): void {
  const answering = answer(called).finally(() => underWay.delete(answering));
  underWay.add(answering);
}

async function answer({ job, table, name, given }: Extract<ToStore, { kind: 'call' }>): Promise<void> {
  try {
    const ask = () => (others ? others.tables.call(table, name, given) : call(table, name, given));
    let got = ask();
    // While it waits for the server, the thread does other work.
    if (others) reply({ kind: 'aside', job });
    got = await got;
    for (const ms of shared ? AGAIN_MS : []) {
      if (!isMissing(name, got)) break;
      if (ms === AGAIN_MS[0] && !others) reply({ kind: 'aside', job });
      await new Promise((resolve) => setTimeout(resolve, ms));
      got = await ask();
    }
    reply({ kind: 'done', job, got });
  } catch (thrown) {
    reply({ kind: 'failed', job, reason: reasonOf(thrown), isFull: thrown instanceof NoRoom });
  }
}

function call(table: keyof Tables, name: string, given: readonly unknown[]): unknown {
  const methods = opened!.tables[table] as unknown as Record<string, (...args: unknown[]) => unknown>;
  return methods[name]!(...given);
}

const READS: ReadonlySet<string> = new Set([
  'show',
  'chain',
  'inputsText',
  'events',
  'cancel',
  'said',
  'get',
]);

function isMissing(name: string, got: unknown): boolean {
  if (!READS.has(name)) return false;
  return got === undefined || (got as { kind?: unknown } | null)?.kind === 'missing';
}

async function close(job: number): Promise<void> {
  if (others) await Promise.all(underWay);
  others?.close();
  opened?.db.close();
  opened = undefined;
  lock?.close();
  reply({ kind: 'done', job, got: undefined });
}

/** SQLite's message, which quotes nothing that is stored. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  // A parser's message quotes the text it failed on.
  return thrown instanceof SyntaxError ? 'it is not JSON' : thrown.message;
}

function trouble(thrown: unknown): void {
  reply({ kind: 'trouble', reason: reasonOf(thrown) });
}

function reply(message: FromStore): void {
  self.postMessage(message, NOTHING);
}
