#!/usr/bin/env bun
import { runProgram } from './cli/argv/run.ts';
import { ExitError } from './cli/exit.ts';

try {
  await runProgram(process.argv.slice(2));
} catch (thrown) {
  const known = thrown instanceof ExitError ? thrown : undefined;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message !== '') process.stderr.write(`${known ? message : `Error: ${message}`}\n`);
  process.exit(known?.code ?? 1);
}
