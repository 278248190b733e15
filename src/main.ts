#!/usr/bin/env bun
import { runProgram } from './cli/argv/run.ts';
import { ExitError } from './cli/exit.ts';
import { fitted, widthOf } from './cli/wrap.ts';
import { stderrLines } from './cli/lines/stderr.ts';

/** How long writing the last lines to stderr may take, milliseconds. */
const LAST_LINES_MS = 1_000;

try {
  await runProgram(process.argv.slice(2));
  // A stopped terminal, or a pipe without a reader, would prevent the process from exiting.
  if (!(await stderrLines.written(LAST_LINES_MS))) process.exit();
} catch (thrown) {
  const known = thrown instanceof ExitError ? thrown : undefined;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message !== '')
    stderrLines.write(fitted(known ? message : `Error: ${message}`, widthOf(process.stderr)));
  await stderrLines.written(LAST_LINES_MS);
  process.exit(known?.code ?? 1);
}
