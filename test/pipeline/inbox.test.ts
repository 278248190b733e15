import { expect, test } from 'bun:test';
import { Inbox } from '../../src/pipeline/realtime/inbox.ts';

test('Inbox keeps the order of messages while one is checked, and limits what waits', async () => {
  const handled: string[] = [];
  const checks = new Map([
    ['b', Promise.withResolvers<void>()],
    ['d', Promise.withResolvers<void>()],
  ]);
  let isFull = false;
  const inbox = new Inbox({
    maxWaiting: 4,
    handle(message) {
      handled.push(String(message));
      return checks.get(String(message))?.promise;
    },
    full: () => (isFull = true),
  });
  for (const message of 'abcde') inbox.add(message);
  expect(handled.join('')).toBe('ab');
  checks.get('b')!.resolve();
  await Bun.sleep(0);
  expect(handled.join('')).toBe('abcd');
  inbox.add('f');
  checks.get('d')!.resolve();
  await Bun.sleep(0);
  expect([handled.join(''), isFull]).toEqual(['abcdef', false]);
  checks.set('g', Promise.withResolvers());
  for (const message of ['g', 'long!']) inbox.add(message);
  expect(isFull).toBe(true);
});
