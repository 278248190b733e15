import { expect, test } from 'bun:test';
import type { InboxOptions } from '../../src/pipeline/realtime/inbox.ts';
import { Inbox } from '../../src/pipeline/realtime/inbox.ts';

/** An inbox in which some messages take time, and what became of all of them. */
function made(
  taking: readonly string[],
  how: 'read' | 'handle',
  options: Partial<InboxOptions<string>> = {},
) {
  const handled: string[] = [];
  const waits = new Map(taking.map((message) => [message, Promise.withResolvers<void>()]));
  const seen = { full: 0, idle: 0 };
  const inbox = new Inbox<string>({
    maxWaiting: 4,
    maxUnread: 8,
    read(message) {
      const text = String(message);
      const wait = how === 'read' ? waits.get(text) : undefined;
      return wait ? wait.promise.then(() => text) : text;
    },
    handle(message, event) {
      expect(event).toBe(String(message));
      handled.push(event);
      return how === 'handle' ? waits.get(event)?.promise : undefined;
    },
    full: () => (seen.full += 1),
    idle: () => (seen.idle += 1),
    ...options,
  });
  const end = async (message: string) => {
    waits.get(message)!.resolve();
    await Bun.sleep(0);
  };
  return { inbox, seen, end, handled: () => handled.join('') };
}

test('Inbox keeps the order of messages while one is checked, and limits what waits', async () => {
  const { inbox, seen, end, handled } = made(['b', 'd', 'g'], 'handle');
  for (const message of 'abcde') inbox.add(message);
  expect(handled()).toBe('ab');
  await end('b');
  expect(handled()).toBe('abcd');
  inbox.add('f');
  expect(inbox.isBusy).toBe(true);
  await end('d');
  expect([handled(), seen, inbox.isBusy]).toEqual(['abcdef', { full: 0, idle: 1 }, false]);
  for (const message of ['g', 'long!']) inbox.add(message);
  expect(seen.full).toBe(1);
});

test('Inbox keeps the order of messages while one is read, when more may wait', async () => {
  const { inbox, seen, end, handled } = made(['b', 'd'], 'read');
  for (const message of 'abcde') inbox.add(message);
  expect(handled()).toBe('a');
  await end('b');
  expect(handled()).toBe('abc');
  inbox.add('longer');
  expect(seen).toEqual({ full: 0, idle: 0 });
  inbox.add('ff');
  expect(seen.full).toBe(1);
  await end('d');
  expect([handled(), seen.idle]).toEqual(['abcdelongerff', 1]);
});
