/** The thread that redacts requests: its queue, clients that disconnect, and searches that take too long. */
import { afterEach, expect, test } from 'bun:test';
import type { OutwardRule } from '../../src/config/schema/redaction.ts';
import { systemClock } from '../../src/clock.ts';
import { RedactionThread } from '../../src/work/redaction-thread.ts';

const RULE: OutwardRule = {
  kinds: ['email'],
  patterns: [],
  restore: false,
  media: 'refuse',
  timeout: 20_000,
};
/** The engine gives up on each text after a while, so all texts together take far longer than this rule allows. */
const ENDLESS: OutwardRule = { ...RULE, patterns: [{ name: 'slow', pattern: '(?:a|a)*b' }], timeout: 700 };

const bytes = (...texts: string[]) =>
  new TextEncoder().encode(JSON.stringify({ messages: texts.map((content) => ({ content })) }));
const endless = bytes(...Array.from({ length: 60 }, (_, n) => `${n} ${'a'.repeat(40)}`));
const mail = bytes('ann@corp.example.com');
const asker = (signal = new AbortController().signal) => ({ caller: null, signal });

let thread = new RedactionThread(systemClock);
afterEach(() => {
  thread.close();
  thread = new RedactionThread(systemClock);
});

test('a search that takes too long fails without an effect on the next request', async () => {
  const stuck = thread.redact(endless, ENDLESS, asker());
  const next = thread.redact(mail, RULE, asker());
  await expect(stuck).rejects.toMatchObject({ fault: 'redaction_failed' });
  expect((await next).values).toEqual([['[EMAIL_1]', 'ann@corp.example.com']]);
});

test('a request of a disconnected client ends immediately, queued or running, and others are processed', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const running = thread.redact(endless, ENDLESS, asker(first.signal));
  const waiting = thread.redact(mail, RULE, asker(second.signal));
  const last = thread.redact(mail, RULE, asker());
  second.abort(new Error('left the line'));
  await expect(waiting).rejects.toThrow('left the line');
  first.abort(new Error('left the search'));
  await expect(running).rejects.toThrow('left the search');
  expect((await last).counts).toEqual({ email: 1 });
  await expect(thread.redact(mail, RULE, asker(first.signal))).rejects.toThrow('left the search');
});

test('a caller can have a limited number of queued requests, and others are still processed', async () => {
  const many = Array.from({ length: 300 }, () => thread.redact(mail, RULE, asker()));
  const other = thread.redact(mail, RULE, { ...asker(), caller: 'other' });
  const settled = await Promise.allSettled(many);
  const refused = settled.filter(({ status }) => status === 'rejected');
  // One is running already.
  expect(refused.length).toBe(300 - 257);
  expect((await other).counts).toEqual({ email: 1 });
});

test('pending requests fail when the proxy stops', async () => {
  const asked = [thread.redact(endless, ENDLESS, asker()), thread.redact(mail, RULE, asker())];
  thread.close();
  const reason = expect.objectContaining({ message: expect.stringContaining('the proxy is being stopped') });
  expect(await Promise.allSettled(asked)).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
});

test('the error names the part of a request that cannot be searched', async () => {
  const stored = new TextEncoder().encode('{"input":"x","previous_response_id":"resp_1"}');
  await expect(thread.redact(stored, RULE, asker())).rejects.toMatchObject({
    fault: 'unredactable',
    message:
      'Cannot redact a response that the provider has stored (previous_response_id), so the request is not sent',
  });
});
