/**
 * `make collector`: sends traces and metrics from the compiled binary to the OTLP receiver of the OpenTelemetry
 * Collector. Needs Go, and access to the Go module proxy once.
 */
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const folder = join(ROOT, 'test/collector');
const receiver = join(ROOT, 'dist/collector');

if (Bun.which('go') === null) {
  process.stderr.write('Cannot run: install Go, which builds the receiver\n');
  process.exit(2);
}
const built = Bun.spawnSync(['go', 'build', '-o', receiver, '.'], {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (built.exitCode !== 0) process.exit(1);
const tests = Bun.spawnSync(
  [process.execPath, '--no-env-file', 'test', '--timeout', '60000', './test/collector/collector.ts'],
  {
    cwd: ROOT,
    env: { ...process.env, LLMPROXY_COLLECTOR: receiver },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
process.exit(tests.exitCode);
