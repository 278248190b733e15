/** The compiled binary exports records of real requests; incomplete answers must not become training data. */
import { expect } from 'bun:test';
import { BINARY } from '../helpers/binary.ts';
import { ENDS_AT_ONCE } from '../helpers/broken/wire.ts';
import type { Protocol } from '../helpers/broken/wire.ts';
import { fresh } from '../helpers/caller.ts';
import { theme } from '../helpers/rig.ts';

const { everyClientStream, everyClientWhole } = theme({
  routing: { breaker: { failures: 100 } },
  broken: { max_retries: 0, timeout: { idle: '5s' } },
});

const FAILED: Readonly<Record<Protocol, string>> = {
  openai: 'error',
  anthropic: 'malformed_tool_use',
  responses: 'failed',
  gemini: 'OTHER',
  ollama: 'error',
};

async function exported(logs: string, ...flags: string[]): Promise<string> {
  const child = Bun.spawn([BINARY, 'export', logs, '-f', 'trl', '-q', ...flags], {
    env: process.env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([await child.exited, stderr]).toEqual([0, '']);
  return stdout;
}

for (const each of [everyClientStream, everyClientWhole]) {
  each(
    '--successful-only takes no answer that failed, was cut, or ended in a way that nobody knows',
    async ({ rig, ask, client, protocol, stream }) => {
      const way = `${client}-${protocol}-${stream}`;
      const headers = { 'x-llmproxy-tags': `way=${way}` };
      const asked = (fault: string) => ask(`broken/${fresh(fault)}`, { headers });
      const good = await asked('say:good');
      const told = ENDS_AT_ONCE.has(protocol) || !stream ? [] : ['no-reason', 'no-reason-call'];
      const faults = [
        `ends:${FAILED[protocol]}`,
        `ends-empty:${FAILED[protocol]}`,
        'ends:brand_new',
        'cut-call',
        'cut-fin',
        'error-later:503',
        ...told,
      ];
      const bad = await Promise.all(faults.map(asked));
      for (const seen of [good, ...bad]) await rig.recordOf(seen);
      const rows = async (...flags: string[]) =>
        (await exported(rig.logs, '--tag', `way=${way}`, ...flags)).trim().split('\n');
      // Without the option, some of the incomplete answers are exported.
      expect((await rows()).length).toBeGreaterThan(1);
      const [row, ...others] = await rows('--successful-only');
      expect([row, others]).toEqual([expect.stringContaining('"good"'), []]);
    },
    // Each case exports twice, so one protocol of each kind must suffice.
    ({ client, protocol }) => protocol !== 'gemini' || client === 'gemini',
  );
}
