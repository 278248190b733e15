/** `make build`: compiles dist/llmproxy for this machine, and runs it once before reporting success. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { compile, ROOT } from './compile.ts';

const outfile = join(ROOT, 'dist', process.platform === 'win32' ? 'llmproxy.exe' : 'llmproxy');
const began = performance.now();
await compile(outfile);
const tried = Bun.spawnSync([outfile, '--version']);
if (tried.exitCode !== 0) throw new Error(`Cannot run ${outfile}: ${tried.stderr.toString()}`);
const megabytes = (statSync(outfile).size / 1024 ** 2).toFixed(1);
const seconds = ((performance.now() - began) / 1000).toFixed(1);
process.stdout.write(`${tried.stdout.toString().trim()}: dist/llmproxy, ${megabytes} MiB, ${seconds} s\n`);
