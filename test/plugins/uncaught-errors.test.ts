/** Uncaught errors, each in a process of its own. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';

const SRC = join(import.meta.dir, '../../src');

/**
 * Runs code with these plugins, in a process that survives uncaught errors.
 * @param waitMs for how long it runs unless an error ends it before
 */
function ran(plugins: string, code: string, waitMs = 50): { code: number; err: string } {
  const script = `
    import { handleUncaughtErrors } from '${SRC}/cli/uncaught-errors.ts';
    import { programLog } from '${SRC}/cli/log.ts';
    import { NO_PLUGINS, Plugins } from '${SRC}/plugins/loaded.ts';
    handleUncaughtErrors(() => ${plugins}, programLog({ level: 'info', format: 'text' }));
    ${code}
    setTimeout(() => console.error('still here'), ${waitMs});
  `;
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, '--no-env-file', '-e', script]);
  return { code: exitCode, err: stderr.toString() };
}

const SOME =
  "new Plugins([{ name: 'acme', path: '/etc/acme.ts', folder: '/etc', providers: [], hooks: undefined }], { limitMs: 1, env: {} })";

test('without plugins, uncaught errors end the program as usual', () => {
  for (const code of [
    "void Promise.reject(new Error('lost'));",
    "setTimeout(() => { throw new Error('lost'); }, 1);",
  ]) {
    const { code: exit, err } = ran('NO_PLUGINS', code, 10_000);
    expect([exit, err]).toEqual([1, expect.stringContaining('lost')]);
    expect(err).not.toContain('still here');
  }
});

test('with plugins, an uncaught error of unknown origin is logged with its stack, and the program goes on', () => {
  const { code, err } = ran(SOME, "void Promise.reject(new Error('lost')); void Promise.reject('words');");
  expect(code).toBe(0);
  expect(err).toMatch(/Uncaught error of a plugin or of this program: Error: lost\n +at /);
  expect(err).toContain('it threw words');
  expect(err).toContain('still here');
});

test('an uncaught error of a plugin is logged with the plugin’s name and the location', () => {
  const code = `const error = new Error('lost'); error.stack = 'Error: lost\\n    at f (/etc/helper.ts:3:4)'; void Promise.reject(error);`;
  const { err } = ran(SOME, code);
  expect(err).toContain('Plugin acme: uncaught error: lost at /etc/helper.ts:3:4\n');
});
