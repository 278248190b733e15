import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { systemClock } from '../src/clock.ts';
import { WorkThread } from '../src/work/thread.ts';
import { FakeClock } from './helpers/clock.ts';
import { logRecord } from './helpers/log-record.ts';

const threads: WorkThread[] = [];
afterEach(() => {
  for (const thread of threads.splice(0)) thread.close();
});

function workThread(clock: ConstructorParameters<typeof WorkThread>[0]['clock'] = systemClock): WorkThread {
  const thread = new WorkThread({ clock, secrets: ['the-secret-itself'], keys: ['pin'] });
  threads.push(thread);
  return thread;
}

const never = new AbortController().signal;

describe('countTokens()', () => {
  // Loading the vocabulary takes most of the time.
  const thread = new WorkThread({ clock: systemClock, secrets: [], keys: [] });
  afterAll(() => thread.close());

  test('counts many texts, and does not delay small ones for large ones', async () => {
    await thread.countTokens(['warm'], never);
    const order: string[] = [];
    const large = thread.countTokens(['a word '.repeat(2_000_000)], never).then((tokens) => {
      order.push('large');
      return tokens;
    });
    // By this time, all of the text is in the thread and being counted.
    await Bun.sleep(300);
    const small = thread.countTokens(['hello world', '', 'höher 語'], never).then((tokens) => {
      order.push('small');
      return tokens;
    });
    expect(await small).toBe(countTokens('hello world') + countTokens('höher 語'));
    expect(await large).toBeGreaterThan(1_000_000);
    expect(order).toEqual(['small', 'large']);
  });

  test('ends with the reason of its signal, and the thread goes on', async () => {
    const abort = new AbortController();
    const counted = thread.countTokens(['a word '.repeat(2_000_000)], abort.signal);
    abort.abort(new Error('the client left'));
    expect(counted).rejects.toThrow('the client left');
    expect(thread.countTokens(['x'], abort.signal)).rejects.toThrow('the client left');
    expect(await thread.countTokens(['hello'], never)).toBe(1);
  });

  test('refuses more than 256 jobs at once', async () => {
    const counts = Array.from({ length: 257 }, () => thread.countTokens(['hello'], never));
    expect(counts[256]!).rejects.toMatchObject({ fault: 'unavailable', retryAfterMs: 1_000 });
    expect(await Promise.all(counts.slice(0, 256))).toEqual(Array(256).fill(1));
    expect(await thread.countTokens(['hello'], never)).toBe(1);
  });
});

test('line() returns the log line of a record, without secrets', async () => {
  const record = { ...logRecord(), request: '{"pin":"1234","x":"the-secret-itself é"}' };
  const line = new TextDecoder().decode(await workThread().line(record));
  expect(line.endsWith('}\n')).toBe(true);
  expect(JSON.parse(line).request).toEqual({ pin: '[redacted]', x: '[redacted] é' });
});

test('line() reveals only the name of an error', async () => {
  const broken = workThread().line({ ...logRecord(), request: '{"secret words\n' });
  expect(await broken.catch((error: unknown) => [(error as Error).name, (error as Error).message])).toEqual([
    'SyntaxError',
    'Cannot do the work: SyntaxError',
  ]);
});

test('the thread ends after an idle minute, and starts again when it is needed', async () => {
  const clock = new FakeClock();
  const thread = workThread(clock);
  await thread.line(logRecord());
  expect(thread.running).toBe(true);
  clock.advance(59_000);
  await thread.line(logRecord());
  clock.advance(59_000);
  expect(thread.running).toBe(true);
  clock.advance(1_000);
  expect(thread.running).toBe(false);
  await thread.line(logRecord());
});

test('close() rejects running work', async () => {
  const thread = workThread();
  const counted = thread.countTokens(['a word '.repeat(2_000_000)], never);
  thread.close();
  expect(counted).rejects.toThrow('the proxy is being stopped');
});

test('line() redacts content as configured, with the same placeholders in every turn', async () => {
  const thread = new WorkThread({ clock: systemClock, secrets: [], keys: [], content: ['email', 'key'] });
  threads.push(thread);
  const said = (...messages: string[]) =>
    JSON.stringify({ messages: messages.map((content) => ({ content })) });
  const picture = `data:image/png;base64,${'AKIAIOSFODNN7EXAMPLE'.repeat(200)}`;
  const lineOfTurn = async (request: string) => {
    const response = '{"text":"I wrote to joe@corp.com"}';
    const record = logRecord({ request, response, error: 'told by al@corp.com' });
    return JSON.parse(new TextDecoder().decode(await thread.line(record))) as Record<string, unknown>;
  };
  const first = await lineOfTurn(said('ask jane@corp.com', picture));
  expect(first).toMatchObject({
    request: { messages: [{ content: 'ask [EMAIL_1]' }, { content: picture }] },
    response: { text: 'I wrote to [EMAIL_2]' },
    error: 'told by [EMAIL_3]',
    model: 'small',
  });
  const second = await lineOfTurn(said('ask jane@corp.com', picture, 'I wrote to joe@corp.com'));
  expect(second.request).toMatchObject({
    messages: [{ content: 'ask [EMAIL_1]' }, {}, { content: 'I wrote to [EMAIL_2]' }],
  });
});

test('line() fails if content cannot be parsed to its end, and reveals nothing of it', async () => {
  const thread = new WorkThread({ clock: systemClock, secrets: [], keys: [], content: ['email'] });
  threads.push(thread);
  const deep = `${'['.repeat(200_000)}"jane@corp.com"${']'.repeat(200_000)}`;
  expect(thread.line(logRecord({ request: deep }))).rejects.toThrow(/^Cannot do the work: \w+Error$/);
});
