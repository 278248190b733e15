/** The compiled binary lists the models that its providers report. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, DISCOVERING, folder, runWith, serve, serveWith } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const LIST = { object: 'list', data: [{ id: 'llama3:8b', created: 1_700_000_000 }, { id: 'qwen:7b' }] };

const ollama = (url: string, more: object = {}): ConfigInput => ({
  providers: [{ name: 'local', type: 'ollama', base_url: `${url}/v1`, models: ['*'] }],
  ...more,
});

function configured(config: ConfigInput): string {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  return cwd;
}

async function idsAt({ url }: Serving, headers: Record<string, string> = {}): Promise<string[]> {
  const page = (await (await fetch(`${url}/v1/models`, { headers })).json()) as { data: { id: string }[] };
  return page.data.map(({ id }) => id);
}

const bothListed = async (serving: Serving): Promise<boolean> => (await idsAt(serving)).length === 2;

describe('llmproxy serve', () => {
  test('lists the models of a server, keeps them on disk, and knows them when the server is gone', async () => {
    const server = upstream(() => Response.json(LIST));
    const cwd = configured(ollama(server.url));
    const first = await serveWith(cwd, DISCOVERING);
    await until('they are listed', () => bothListed(first));
    const shapes = async (headers: Record<string, string>) =>
      ((await (await fetch(`${first.url}/v1/models`, { headers })).json()) as { data: unknown[] }).data[0];
    const model = { id: 'llama3:8b', object: 'model', created: 1_700_000_000, owned_by: 'local' };
    expect(await shapes({})).toEqual(model);
    expect(await (await fetch(`${first.url}/v1/models/llama3:8b`)).json()).toEqual(model);
    expect(await shapes({ 'anthropic-version': '2023-06-01' })).toMatchObject({
      id: 'llama3:8b',
      created_at: '2023-11-14T22:13:20Z',
    });
    expect(runWith(cwd, DISCOVERING, 'health', '--url', first.url).out).toMatch(/MODELS *\nlocal .* 2\n/);
    first.process.kill('SIGTERM');
    await first.process.exited;
    await server[Symbol.asyncDispose]();

    const kept = JSON.parse(readFileSync(join(cwd, 'state/models.json'), 'utf8'));
    expect(kept.providers.local).toMatchObject({ models: LIST.data });
    const explained = runWith(cwd, DISCOVERING, 'explain', '--model', 'qwen:7b').out;
    expect(explained).toContain(`local listed it at ${kept.providers.local.at.slice(0, 16)}Z`);
    expect(runWith(cwd, DISCOVERING, 'explain', '--model', 'qwen:70b').out).toContain(
      'local did not list it at',
    );
    const second = await serveWith(cwd, DISCOVERING);
    expect(await idsAt(second)).toEqual(['llama3:8b', 'qwen:7b']);
  });

  test('a damaged cache has no effect', async () => {
    await using server = upstream(() => Response.json(LIST));
    const cwd = configured(ollama(server.url));
    mkdirSync(join(cwd, 'state'));
    writeFileSync(join(cwd, 'state/models.json'), '{"version":1,"providers":{"local":{"serv');
    const serving = await serveWith(cwd, DISCOVERING);
    await until('they are listed', () => bothListed(serving));
  });

  test.each([
    ['all', { discover_models: false }, {}],
    ['one provider', {}, { discover_models: false }],
    ['this process', {}, {}],
  ])('asks nobody where that is switched off for %s', async (where, all, one) => {
    await using server = upstream(() => Response.json(LIST));
    await using other = upstream(() => Response.json({ data: [{ id: 'm' }] }));
    const [local] = ollama(server.url).providers;
    const cwd = configured({
      providers: [
        { ...local!, ...one },
        { name: 'other', type: 'openai-compatible', base_url: other.url, models: ['m'] },
      ],
      ...all,
    });
    const serving = where === 'this process' ? await serve(cwd) : await serveWith(cwd, DISCOVERING);
    if ('discover_models' in one)
      await until('the request to the other provider', () => other.asked.length, { atLeast: 1 });
    // Several times as long as the first discovery takes.
    await Bun.sleep(400);
    expect([server.asked, await idsAt(serving)]).toEqual([[], ['m']]);
    if (!('discover_models' in one)) {
      expect(other.asked).toEqual([]);
      expect(existsSync(join(cwd, 'state'))).toBe(false);
    }
  });

  test('shows a key only the models that it may request', async () => {
    await using server = upstream(() => Response.json(LIST));
    const serving = await serveWith(
      configured(
        ollama(server.url, {
          auth: {
            keys: [
              { name: 'all', key: 'sk-all-1234567890' },
              { name: 'few', key: 'sk-few-1234567890', models: ['qwen*'] },
            ],
          },
        }),
      ),
      DISCOVERING,
    );
    const asked = (key: string) => idsAt(serving, { authorization: `Bearer ${key}` });
    await until('they are listed', async () => (await asked('sk-all-1234567890')).length, { is: 2 });
    expect(await asked('sk-few-1234567890')).toEqual(['qwen:7b']);
  });

  test('applies what a reload changes', async () => {
    await using server = upstream(() => Response.json(LIST));
    await using other = upstream(() => Response.json({ data: [{ id: 'new' }] }));
    const cwd = configured(ollama(server.url));
    const serving = await serveWith(cwd, DISCOVERING);
    await until('they are listed', () => bothListed(serving));
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(ollama(other.url)));
    serving.process.kill('SIGHUP');
    await until('the model of the other provider', async () => (await idsAt(serving)).join(), { is: 'new' });
  });

  test.skipIf(process.platform !== 'linux')(
    'one of several workers fetches the lists for all (Linux)',
    async () => {
      let list = LIST;
      await using server = upstream(() => Response.json(list));
      const cwd = configured(ollama(server.url, { discover_models: '1s' }));
      const serving = await serveWith(cwd, DISCOVERING, '--workers', '3');
      const everywhere = async (ids: string) => {
        const seen = await Promise.all(Array.from({ length: 12 }, () => idsAt(serving)));
        return seen.every((each) => each.join() === ids);
      };
      await until('the models on all workers', () => everywhere('llama3:8b,qwen:7b'));
      list = { ...LIST, data: [{ id: 'phi' }] };
      const before = server.asked.length;
      await until('the new models on all workers', () => everywhere('phi'));
      expect(server.asked.length - before).toBeLessThan(6);
    },
  );
});
