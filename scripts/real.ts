/**
 * `make real`: runs the compiled binary in front of a real inference engine, node-llama-cpp with a small model. Needs
 * the registry once. Usage: LLMPROXY_GGUF=model.gguf bun scripts/real.ts
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const folder = join(ROOT, 'test/real');
const maker = join(ROOT, '../shared/tools/tiny-gguf.ts');

/**
 * The model to use: the one named by the variable, or a tiny one with random weights where its generator is available.
 */
function modelPath(): string | undefined {
  const named = process.env.LLMPROXY_GGUF;
  if (named !== undefined) return existsSync(named) ? named : undefined;
  if (!existsSync(maker)) return undefined;
  const path = join(ROOT, 'dist/tiny.gguf');
  Bun.spawnSync([process.execPath, maker, path]);
  return path;
}

const model = modelPath();
if (model === undefined) {
  process.stderr.write('Cannot run: set LLMPROXY_GGUF to the path of a model in GGUF format\n');
  process.exit(2);
}
const install = Bun.spawnSync([process.execPath, 'install', '--frozen-lockfile'], {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (install.exitCode !== 0) process.exit(1);
const tests = Bun.spawnSync(
  [process.execPath, '--no-env-file', 'test', '--timeout', '60000', './test/real/real.ts'],
  {
    cwd: ROOT,
    env: { ...process.env, LLMPROXY_GGUF: model },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
process.exit(tests.exitCode);
