/** What the decoders make of recorded traffic, a row a provider. Usage: bun scripts/recorded.ts [SEED] */
import { hasRecordings } from '../test/helpers/recorded/read.ts';
import { report, runRecordings } from '../test/helpers/recorded/run.ts';

if (!hasRecordings) {
  process.stdout.write('There are no recordings here: set LLMPROXY_FIXTURES to their folder.\n');
} else {
  const outcome = runRecordings(Number(process.argv[2] ?? 1));
  process.stdout.write(report(outcome));
  for (const failure of outcome.failures) process.stderr.write(`${failure}\n`);
  process.exitCode = outcome.failures.length > 0 ? 1 : 0;
}
