/**
 * `make bench-loop`: how long normal requests wait while one heavy request, or one heavy answer, is served beside them
 * by the compiled binary. Exit 1 when one of them waits too long.
 * Usage: bun bench/loop.ts [--only WORDS] [--binary PATH] [--bound MS]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { children, started } from './children.ts';
import { HEAVY } from './loop-cases.ts';
import { beside, loopConfig, normal } from './loop-run.ts';

const ROOT = join(import.meta.dir, '..');
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    binary: { type: 'string' },
    bound: { type: 'string', default: '250' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-loop-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
if (values.binary === undefined) {
  const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
}
const upstream = await started([process.execPath, join(import.meta.dir, 'loop-upstream.ts')], folder);
writeFileSync(join(folder, 'config.yaml'), JSON.stringify(loopConfig(upstream.url)));
const binary = values.binary ?? join(ROOT, 'dist/llmproxy');
const { url } = await started([binary, 'serve', '--port', '0'], folder);

const shown = (ms: number) => ms.toFixed(1).padStart(9);
await normal(url, Bun.sleep(1_000));
const alone = await normal(url, Bun.sleep(2_000));
console.log(
  `${'beside'.padEnd(52)} ${'status'.padStart(8)} ${'took'.padStart(8)} ${'p50 ms'.padStart(9)} ${'p99 ms'.padStart(9)} ${'longest'.padStart(9)}`,
);
console.log(
  `${'nothing'.padEnd(52)} ${''.padStart(8)} ${''.padStart(8)} ${shown(alone.p50)} ${shown(alone.p99)} ${shown(alone.max)}`,
);
let late = 0;
for (const kind of Object.keys(HEAVY).filter((name) => new RegExp(values.only).test(name))) {
  const { status, tookMs, p50, p99, max } = await beside(url, kind);
  const mark = max > Number(values.bound) ? ' !' : '';
  if (mark) late += 1;
  console.log(
    `${kind.padEnd(52)} ${String(status).slice(0, 8).padStart(8)} ${String(tookMs).padStart(8)} ${shown(p50)} ${shown(p99)} ${shown(max)}${mark}`,
  );
}
console.log(
  late > 0 ? `${late} kinds held others up for more than ${values.bound} ms` : 'no kind held others up',
);
process.exit(late > 0 ? 1 : 0);
