/** The text that serve prints when it is ready. */
import { describe, expect, test } from 'bun:test';
import type { Started } from '../../src/cli/serve-text.ts';
import type { ProviderStatus } from '../../src/pipeline/targets/status.ts';
import { ignoredText, serveText } from '../../src/cli/serve-text.ts';
import { schema } from '../../src/config/schema.ts';
import { disabledStatus } from '../../src/pipeline/targets/status.ts';

const off = disabledStatus('gemini', 'gemini', 'no key: set GEMINI_API_KEY or GOOGLE_API_KEY');
const on = (name: string, models: ProviderStatus['models'] = null): ProviderStatus => ({
  ...disabledStatus(name, name, ''),
  state: 'healthy',
  reasons: [],
  models,
});
const NOT_YET = { listed: 0, at: null, error: null };

function started(more: Partial<Started> = {}, config: object = {}): Started {
  return {
    url: 'http://127.0.0.1:8000',
    providers: [on('openai', NOT_YET), off],
    found: undefined,
    file: 'config.yaml',
    models: 3,
    workers: 1,
    page: true,
    config: schema.parse({ providers: [{ name: 'm', type: 'mock' }], ...config }),
    ...more,
  };
}

const screen = (more?: Partial<Started>, config?: object) =>
  serveText(started(more, config), { width: 80, color: false }).join('\n');

describe('the text that serve prints at its start', () => {
  test('is a screen in a terminal', () => {
    expect(screen()).toBe(`
PROVIDER  TYPE    STATE  WHY
openai    openai  on     config file
gemini    gemini  off    no key: set GEMINI_API_KEY or GOOGLE_API_KEY

Models       3 by name at GET /v1/models, plus the models of openai once its
             list is fetched
Page         http://127.0.0.1:8000/
Request log  logs, content full

OpenAI SDKs  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=unused
Claude Code  llmproxy run claude
Codex        llmproxy run codex
`);
  });

  test('fits narrow terminals except for commands to paste', () => {
    const providers = Array.from({ length: 14 }, (_, index) =>
      on(`a-long-name-of-a-provider-${index}`, NOT_YET),
    );
    const lines = screen({ providers, url: 'http://[::]:8000' }, { server: { base_path: '/llm' } }).split(
      '\n',
    );
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join(' ')).toContain('and 4 more');
    expect(lines).toContain('Page         http://127.0.0.1:8000/llm/');
  });

  test('has colours if wanted, and the same text', () => {
    const colored = serveText(started(), { width: 80, color: true }).join('\n');
    expect(colored).toContain('\x1b[32mon\x1b[39m');
    expect(Bun.stripANSI(colored)).toBe(screen());
  });

  test('names keys if callers need one, the file if it is not the default, and workers', () => {
    const keyed = { auth: { keys: [{ name: 'a', key: 'sk-local-0123456789' }] } };
    const shown = screen({ file: '/etc/llmproxy.yaml', workers: 4, page: false }, keyed);
    expect(shown).toContain('OPENAI_API_KEY=YOUR_KEY\n');
    expect(shown).toContain('LLMPROXY_KEY=YOUR_KEY llmproxy run claude --config /etc/llmproxy.yaml\n');
    expect(shown).toContain('Workers      4 share the port\n');
    expect(shown).not.toContain('Page');
    expect(shown).not.toContain('sk-local');
  });

  test('has commands that can be pasted for a Unix socket', () => {
    const shown = screen({ url: 'unix:/run/p.sock' });
    expect(shown).toContain(
      'curl         curl --unix-socket /run/p.sock http://localhost/v1/models\n'.replace(
        'curl         ',
        'curl  ',
      ),
    );
    expect(shown).not.toContain('Page');
  });

  test('is one line for each fact if not in a terminal', () => {
    expect(serveText(started(), { width: Infinity, color: false }).slice(1)).toEqual([
      'Models: 3 by name at GET /v1/models, plus the models of openai once its list is fetched',
      'Page: http://127.0.0.1:8000/',
      'Request log: logs, content full',
    ]);
  });
});

test('ignoredText() names the variables and the lines that use them, and only a few of many', () => {
  const key = (name: string) => ({ variable: `${name}_KEY`, type: name, line: `- { name: ${name} }` });
  expect(ignoredText([], 'config.yaml', 80)).toBeUndefined();
  expect(ignoredText([key('A')], 'config.yaml', 80)).toBe(
    'A_KEY is set, but no provider in config.yaml uses it. Add to\n`providers`:\n  - { name: A }',
  );
  const many = ignoredText([...'ABCDEFGHIJKL'].map(key), 'config.yaml', Infinity)!;
  expect(many.split('\n')).toHaveLength(6);
  expect(many).toContain('and 2 more are set');
});
