/**
 * `make recorded`: sends recorded traffic of real providers through the compiled binary, on loopback. LLMPROXY_FIXTURES
 * names the folder of the recordings. Usage: bun scripts/recorded.ts [--sample N] [--kind WORDS] [--seed N] [--all]
 * (--sample: every Nth recording; --kind: kinds whose name contains this, such as "request" or "gemini > chat";
 * --all: prints every failure on stderr)
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { built, cleared } from '../test/helpers/binary.ts';
import { freshNeeded, plan } from '../test/recorded/jobs.ts';

import { run, wayOf } from '../test/recorded/run.ts';
import { openLab } from '../test/recorded/lab/lab.ts';
import { hasAnthropic } from '../test/recorded/lab/libraries.ts';
import { serveBinary } from '../test/recorded/lab/serve.ts';
import { hasRecordings, readRecordings } from '../test/recorded/read/recordings.ts';
import { report, shownFailure } from '../test/recorded/report.ts';
import { ROOT } from './compile.ts';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '1' },
    kind: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
  },
});

if (!hasRecordings) {
  process.stdout.write('There are no recordings here: set LLMPROXY_FIXTURES to their folder.\n');
} else {
  await compare();
}

/** Downloads the clients' libraries once; without a registry, Messages are checked only against their schema. */
function fetchLibraries(): void {
  if (hasAnthropic()) return;
  const cwd = join(ROOT, 'test/clients');
  Bun.spawnSync([process.execPath, 'install', '--frozen-lockfile'], { cwd });
  if (!hasAnthropic())
    process.stdout.write(
      "Anthropic's library is not available: Messages are checked only against their schema.\n",
    );
}

async function compare(): Promise<void> {
  built();
  fetchLibraries();
  const { recorded, others, unread } = readRecordings();
  const every = Number(values.sample);
  const planned = plan(
    recorded.filter((_, at) => at % every === 0),
    others,
  );
  const jobs = planned.jobs.filter((job) => wayOf(job).includes(values.kind));
  const lab = await openLab({ serve: serveBinary, fresh: freshNeeded(jobs) });
  try {
    const outcome = await run(lab, jobs, Number(values.seed));
    process.stdout.write(report({ ...planned, unknown: [...planned.unknown, ...unread] }, outcome));
    if (values.all)
      for (const failure of outcome.failures)
        process.stderr.write(`${failure.way}: ${shownFailure(failure)}\n`);
    const failed = outcome.failures.length + planned.unknown.length + unread.length;
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    await lab[Symbol.asyncDispose]();
    cleared();
  }
}
