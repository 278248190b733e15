import { expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exclusively } from '../../src/cli/lock.ts';

test('exclusively() waits for another process, and gets the lock when that is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'llmproxy-lock-'));
  const path = join(directory, 'keys.yaml');
  const source = join(import.meta.dir, '../../src/cli/lock.ts');
  const program = `
    import { exclusively } from ${JSON.stringify(source)};
    exclusively(${JSON.stringify(path)}, () => {
      process.stdout.write('locked');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    });`;
  const other = Bun.spawn([process.execPath, '--no-env-file', '-e', program], { stdout: 'pipe' });
  for await (const chunk of other.stdout) if (new TextDecoder().decode(chunk).includes('locked')) break;
  // This process is blocked while it waits, so another one must kill the owner of the lock.
  const killer = Bun.spawn(['sh', '-c', `sleep 0.5; touch '${path}.ends'; kill -9 ${other.pid}`]);
  expect(exclusively(path, () => existsSync(`${path}.ends`))).toBe(true);
  await killer.exited;
  await other.exited;
  expect(other.signalCode).toBe('SIGKILL');
  expect(exclusively(path, () => 'again')).toBe('again');
  expect(() =>
    exclusively(path, () => {
      throw new Error('within');
    }),
  ).toThrow('within');
  expect(exclusively(path, () => 'free')).toBe('free');
  rmSync(directory, { recursive: true });
});
