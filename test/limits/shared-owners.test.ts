/** Who had providers store what, on a real server that replicas share. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { systemClock } from '../../src/clock.ts';
import { SharedOwners } from '../../src/limits/replicas/shared-owners.ts';
import { Link } from '../../src/redis/link.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { FakeClock } from '../helpers/clock.ts';

let server: TestRedis;
let link: Link;

describe.skipIf(REDIS_SERVER === null)('SharedOwners', () => {
  beforeAll(async () => {
    server = await TestRedis.start();
    const nothing = () => undefined;
    link = new Link({
      url: server.url,
      timeoutMs: 5_000,
      clock: systemClock,
      onUp: nothing,
      onDown: nothing,
    });
    await link.open();
  });
  beforeEach(() => server.send('FLUSHALL'));
  afterAll(async () => {
    link?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const replica = (more: Partial<ConstructorParameters<typeof SharedOwners>[0]> = {}) =>
    new SharedOwners({ link, clock: systemClock, ...more });

  test('tells every replica whose an object is and where, and keeps the first owner', async () => {
    const [one, other] = [replica(), replica()];
    one.note('resp_1', { owner: 'alice', provider: 'my provider' });
    await one.flush();
    expect(await other.find('resp_1', 'alice')).toEqual({ isOwn: true, provider: 'my provider' });
    other.note('resp_1', { owner: 'bob', provider: 'evil' });
    await other.flush();
    expect(await one.find('resp_1', 'bob')).toEqual({ isOwn: false, provider: 'my provider' });
    one.note('resp_1', { owner: 'alice', provider: 'moved' });
    await one.flush();
    expect(await other.find('resp_1', 'alice')).toEqual({ isOwn: true, provider: 'moved' });
    expect(await other.find('resp_2', 'alice')).toBeUndefined();
  });

  test('forgets the oldest of the owner with most objects, and no others', async () => {
    const one = replica({ most: 20 });
    one.note('of bob', { owner: 'bob', provider: 'p' });
    for (let index = 0; index < 30; index += 1) one.note(`resp_${index}`, { owner: 'alice', provider: 'p' });
    await one.flush();
    const known = await Promise.all(
      Array.from({ length: 30 }, (_, index) => one.find(`resp_${index}`, 'alice')),
    );
    expect(known.filter((each) => each !== undefined).length).toBe(19);
    expect(known.slice(11).every((each) => each !== undefined)).toBe(true);
    expect(await one.find('of bob', 'bob')).toBeDefined();
  });

  test('knows names and ids only as hashes', async () => {
    const one = replica();
    one.note('resp_secret', { owner: 'alice', provider: 'p' });
    await one.flush();
    const keys = (await server.send('KEYS', '*')) as string[];
    const texts = await Promise.all(
      keys.map(async (key) => JSON.stringify([key, await server.send('DUMP', key)])),
    );
    expect(keys.every((key) => key.startsWith('llmproxy:{objects}'))).toBe(true);
    expect(texts.join()).not.toMatch(/alice|secret/);
  });

  test('knows nothing while the server is unavailable, and notes it afterwards', async () => {
    const clock = new FakeClock();
    let up = false;
    const run: Link['run'] = (...command) => link.run(...command);
    const cutOff = {
      run,
      get up() {
        return up;
      },
    };
    const one = replica({ link: cutOff, clock });
    one.note('resp_1', { owner: 'alice', provider: 'p' });
    await one.flush();
    expect(await one.find('resp_1', 'alice')).toBeUndefined();
    up = true;
    clock.advance(1_000);
    await one.flush();
    expect(await replica().find('resp_1', 'alice')).toEqual({ isOwn: true, provider: 'p' });
  });
});
