/**
 * `make bench-loop`: how long normal requests wait while the compiled binary serves one expensive request, or one
 * expensive answer, beside them. Exits 1 if one of them waits too long.
 * Each kind is tried several times and the best try counts, since other load on the machine only adds time.
 * Usage: bun bench/loop.ts [--only REGEX] [--binary PATH] [--bound MS] [--times N]
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
    times: { type: 'string', default: '3' },
    bound: { type: 'string', default: '100' },
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

const NAME = 54;
const ms = (value: number) => value.toFixed(1);

function row(name: string, ...columns: (string | number)[]): void {
  const cells = columns.map((column) => String(column).slice(0, 9).padStart(9));
  process.stdout.write(`${name.padEnd(NAME)}${cells.join(' ')}\n`);
}

await normal(url, Bun.sleep(1_000));
const alone = await normal(url, Bun.sleep(2_000));
row('beside', 'status', 'took ms', 'p50 ms', 'p99 ms', 'longest', 'held ms');
row('nothing', '', '', ms(alone.p50), ms(alone.p99), ms(alone.max), ms(alone.held));
let late = 0;
const wanted = new RegExp(values.only);
for (const kind of Object.keys(HEAVY).filter((name) => wanted.test(name))) {
  let best = await beside(url, kind);
  for (let n = 1; n < Number(values.times); n += 1) {
    const next = await beside(url, kind);
    if (next.held < best.held) best = next;
  }
  const { status, tookMs, p50, p99, max, held } = best;
  if (held > Number(values.bound)) late += 1;
  row(kind, status, tookMs, ms(p50), ms(p99), ms(max), ms(held));
}
process.stdout.write(`${late} kinds blocked the event loop for more than ${values.bound} ms\n`);
process.exit(late > 0 ? 1 : 0);
