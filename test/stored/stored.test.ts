/** What the store keeps, for which owner, for how long and up to which size. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredOptions } from '../../src/stored/entries.ts';
import { StoredBackground } from '../../src/stored/background.ts';
import { StoredConversations } from '../../src/stored/conversations.ts';
import { openStored, STORED_FILE } from '../../src/stored/file.ts';
import { NoRoom } from '../../src/stored/room.ts';
import { StoredResponses } from '../../src/stored/responses.ts';
import { ResponseRows } from '../../src/stored/rows.ts';
import { objectOf, parseJson } from '../../src/wire/json.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'llmproxy-stored-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function opened({
  maxBytes = MIB,
  maxChain = MIB,
  directory,
  redact = (text) => text,
}: Partial<StoredOptions> & { directory?: string; redact?: (text: string) => string } = {}) {
  const db = openStored(directory);
  const options = { maxBytes, maxChain, isShared: false };
  const rows = new ResponseRows(db, options, redact);
  return {
    db,
    responses: new StoredResponses(rows),
    background: new StoredBackground(rows),
    conversations: new StoredConversations(db, options, redact),
    [Symbol.dispose]: () => db.close(),
  };
}

/** A response with this text, and a request for it. */
const kept = (id: string, said: string, more: object = {}) => ({
  owner: 'a',
  request: JSON.stringify({ model: 'm', input: `ask ${id}` }),
  response: JSON.stringify({
    id,
    status: 'completed',
    output: [
      { type: 'message', id: `msg_${id}`, role: 'assistant', content: [{ type: 'output_text', text: said }] },
    ],
  }),
  nowMs: 0,
  untilMs: HOUR,
  ...more,
});

const bodyOf = (shown: { body: string } | undefined) => objectOf(parseJson(shown!.body));

test('the oldest response of the owner with the most data is removed first', () => {
  using store = opened({ maxBytes: 10_000 });
  store.responses.keep(kept('resp_b', 'x'.repeat(500), { owner: 'b', nowMs: 1 }));
  for (let at = 0; at < 40; at += 1)
    store.responses.keep(kept(`resp_${at}`, 'x'.repeat(500), { nowMs: 10 + at }));
  expect(store.responses.size().bytes).toBeLessThanOrEqual(10_000);
  expect(store.responses.show('a', 'resp_0', 100)).toBeUndefined();
  expect(store.responses.show('a', 'resp_39', 100)).toBeDefined();
  // It is older than all others, but its owner has stored little.
  expect(store.responses.show('b', 'resp_b', 100)).toBeDefined();
});

test('an entry that is too large for the store displaces nothing of other owners', () => {
  using store = opened({ maxBytes: 10_000 });
  store.responses.keep(kept('resp_b', 'x'.repeat(500), { owner: 'b' }));
  store.conversations.create('b', { id: 'conv_b', metadata: {}, items: [] }, 0, HOUR);
  for (const length of [9_900, 20_000])
    expect(() => store.responses.keep(kept('resp_1', 'x'.repeat(length)))).toThrow(NoRoom);
  const items = [{ role: 'user', content: 'x'.repeat(20_000) }];
  expect(() => store.conversations.create('a', { id: 'conv_a', metadata: {}, items }, 0, HOUR)).toThrow(
    NoRoom,
  );
  expect(store.responses.show('b', 'resp_b', 1)).toBeDefined();
  expect(store.conversations.get('b', 'conv_b')).toBeDefined();
  // An owner with more data gives way to one with less.
  for (let at = 0; at < 20; at += 1)
    store.responses.keep(kept(`resp_${at}`, 'x'.repeat(500), { owner: 'b', nowMs: at }));
  store.responses.keep(kept('resp_1', 'x'.repeat(3_000), { nowMs: 30 }));
  expect(store.responses.show('a', 'resp_1', 31)).toBeDefined();
});

test('a response that is stored again is counted once', () => {
  using store = opened();
  for (let at = 0; at < 5; at += 1) store.responses.keep(kept('resp_1', 'x'.repeat(500)));
  for (let at = 0; at < 5; at += 1) store.background.addEvents('a', 'resp_1', 0, ['event']);
  expect(store.responses.size().bytes).toBeLessThan(1_000);
  expect(store.responses.remove('a', 'resp_1')).toBe(true);
  expect(store.responses.size()).toEqual({ bytes: 0, responses: 0 });
});

test('expired entries are removed with all that belongs to them, and their bytes are free again', () => {
  using store = opened();
  store.responses.keep(kept('resp_1', 'x'));
  store.background.addEvents('a', 'resp_1', 0, ['event']);
  store.conversations.create(
    'a',
    { id: 'conv_1', metadata: {}, items: [{ role: 'user', content: 'x' }] },
    0,
    HOUR,
  );
  store.responses.sweep(HOUR - 1);
  expect(store.responses.show('a', 'resp_1', HOUR)).toBeDefined();
  store.responses.sweep(HOUR + 1);
  expect(store.responses.show('a', 'resp_1', HOUR)).toBeUndefined();
  expect(store.conversations.get('a', 'conv_1')).toBeUndefined();
  expect(store.responses.size()).toEqual({ bytes: 0, responses: 0 });
});

test('a conversation expires later if it is used', () => {
  using store = opened();
  store.conversations.create('a', { id: 'conv_1', metadata: {}, items: [] }, 0, HOUR);
  store.responses.keep(kept('resp_1', 'x', { conversation: 'conv_1', nowMs: HOUR / 2, untilMs: 2 * HOUR }));
  store.responses.sweep(HOUR + 1);
  const said = store.conversations.said('a', 'conv_1');
  expect(said.kind === 'found' && (parseJson(said.items) as unknown[]).length).toBe(2);
});

describe('a chain of responses', () => {
  test('is returned in order, with the provider that issued the last one', () => {
    using store = opened();
    store.responses.keep(kept('resp_1', 'one'));
    const response = JSON.stringify({ ...bodyOf({ body: kept('resp_2', 'two').response }), store: true });
    store.responses.keep(kept('resp_2', '', { response, previous: 'resp_1', issuer: 'openai' }));
    const chain = store.responses.chain('a', 'resp_2', 0);
    expect(chain).toMatchObject({ kind: 'found', issuer: 'openai', issued: 'resp_2' });
    const items = chain.kind === 'found' ? (parseJson(chain.items) as object[]) : [];
    expect(items).toMatchObject([
      { content: 'ask resp_1' },
      { content: [{ text: 'one' }] },
      { content: 'ask resp_2' },
      { content: [{ text: 'two' }] },
    ]);
  });

  test('is refused if it is incomplete, belongs to another owner or is too long', () => {
    using store = opened({ maxChain: 2_000 });
    store.responses.keep(kept('resp_1', 'one'));
    store.responses.keep(kept('resp_2', 'two', { previous: 'resp_1' }));
    expect(store.responses.chain('b', 'resp_2', 0)).toEqual({ kind: 'foreign' });
    expect(store.responses.chain('b', 'resp_3', 0)).toEqual({ kind: 'missing', id: 'resp_3' });
    store.responses.remove('a', 'resp_1');
    expect(store.responses.chain('a', 'resp_2', 0)).toEqual({ kind: 'missing', id: 'resp_1' });
    store.responses.keep(kept('resp_4', 'x'.repeat(3_000)));
    expect(store.responses.chain('a', 'resp_4', 0)).toEqual({ kind: 'too_large' });
  });

  test('that leads back to itself ends', () => {
    using store = opened({ maxChain: 100_000 });
    store.responses.keep(kept('resp_1', 'one', { previous: 'resp_2' }));
    store.responses.keep(kept('resp_2', 'two', { previous: 'resp_1' }));
    expect(store.responses.chain('a', 'resp_2', 0)).toEqual({ kind: 'too_large' });
  });
});

test('a provider that stored no response is not named as its issuer', () => {
  using store = opened();
  const response = JSON.stringify({ ...bodyOf({ body: kept('resp_1', 'one').response }), store: false });
  store.responses.keep(kept('resp_1', '', { response, issuer: 'perplexity' }));
  expect(store.responses.chain('a', 'resp_1', 0)).not.toHaveProperty('issuer');
});

describe('a background response', () => {
  const queued = {
    ...kept('', ''),
    id: 'resp_1',
    streams: false,
    response: JSON.stringify({ id: 'resp_1', status: 'queued', output: [] }),
  };

  test('fails if its process stops sending heartbeats', () => {
    using store = opened();
    store.background.queue(queued);
    expect(store.background.begin('a', 'resp_1', 0)).toBe(true);
    store.background.beat([['a', 'resp_1']], 20_000);
    expect(bodyOf(store.responses.show('a', 'resp_1', 25_000)).status).toBe('in_progress');
    const failed = bodyOf(store.responses.show('a', 'resp_1', 31_000));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  });

  test('that was cancelled by another process is reported to its own one, and stays cancelled', () => {
    using store = opened();
    store.background.queue(queued);
    expect(store.background.beat([['a', 'resp_1']], 1)).toEqual([]);
    expect(bodyOf(store.background.cancel('a', 'resp_1', 1)).status).toBe('cancelled');
    expect(store.background.beat([['a', 'resp_1']], 2)).toEqual(['resp_1']);
    store.background.end({
      owner: 'a',
      id: 'resp_1',
      response: kept('resp_9', 'late').response,
      nowMs: 3,
      untilMs: 4,
    });
    expect(bodyOf(store.responses.show('a', 'resp_1', 3)).status).toBe('cancelled');
    store.responses.remove('a', 'resp_1');
    expect(store.background.beat([['a', 'resp_1']], 4)).toEqual(['resp_1']);
  });
});

test('a file of an earlier version can be read', () => {
  const directory = join(folder, 'earlier');
  {
    using store = opened({ directory });
    store.responses.keep(kept('resp_1', 'one'));
    store.db.run('ALTER TABLE responses DROP COLUMN runner');
  }
  using store = opened({ directory });
  store.responses.keep(kept('resp_2', 'two'));
  for (const id of ['resp_1', 'resp_2']) expect(store.responses.show('a', id, 0)).toBeDefined();
});

test('events of a deleted response are not stored', () => {
  using store = opened();
  store.background.addEvents('a', 'resp_1', 0, ['event: x\n\n']);
  expect(store.responses.size().bytes).toBe(0);
});

test('secrets are redacted before they are written, and deleted text is erased from the file', () => {
  const directory = join(folder, 'secret');
  const redact = (text: string) => text.replaceAll('sk-very-secret', '[redacted]');
  {
    using store = opened({ directory, redact });
    store.responses.keep(kept('resp_1', 'it is sk-very-secret, and plain-words'));
    expect(store.responses.show('a', 'resp_1', 0)!.body).toContain('it is [redacted]');
    const owner = { id: 'conv_1', metadata: { k: 'sk-very-secret' }, items: [{ content: 'sk-very-secret' }] };
    store.conversations.create('a', owner, 0, HOUR);
  }
  const written = () =>
    readdirSync(directory)
      .map((name) => readFileSync(join(directory, name), 'latin1'))
      .join('');
  expect(written()).not.toContain('sk-very-secret');
  expect(written()).toContain('plain-words');
  expect(statSync(join(directory, STORED_FILE)).mode & 0o077).toBe(0);
  {
    using store = opened({ directory });
    expect(store.responses.show('a', 'resp_1', 0)).toBeDefined();
    store.responses.remove('a', 'resp_1');
    store.responses.sweep(0);
    // This must hold while the file is open, not only after the last process has closed it.
    expect(written()).not.toContain('plain-words');
  }
});

test('items of a list have stable ids, and pages without gaps', () => {
  using store = opened();
  const request = JSON.stringify({
    input: [
      { role: 'user', content: 'a' },
      { type: 'function_call_output', call_id: 'c', output: 'o' },
    ],
  });
  store.responses.keep(kept('resp_1', 'one', { request }));
  const page = (options: object) =>
    store.responses.inputs('a', 'resp_1', { limit: 20, order: 'asc', ...options }, 0)!;
  const { data } = page({});
  expect(data).toMatchObject([
    { type: 'message', status: 'completed', content: [{ type: 'input_text', text: 'a' }] },
    { type: 'function_call_output', status: 'completed' },
  ]);
  expect(page({})).toEqual(page({}));
  const first = page({ limit: 1, order: 'desc' });
  expect([first.data, first.hasMore]).toEqual([[data[1]!], true]);
  expect(page({ order: 'desc', after: data[1]!.id })).toEqual({ data: [data[0]!], hasMore: false });
});
