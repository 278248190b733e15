import { defineCommand } from 'citty';
import type { ArgsDef } from 'citty';
import { existsSync, readFileSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { ExportError } from '../export/errors.ts';
import type { OptionRow } from '../config/export/options.ts';
import { OPTIONS } from '../config/export/options.ts';
import type { GivenOptions } from '../export/options/flags.ts';
import { environmentOptions, parseFlags } from '../export/options/flags.ts';
import { checkFiles } from '../export/check/check.ts';
import type { Settings, Sources } from '../export/options/settings.ts';
import { formatOf, optionsOf, resolveSettings } from '../export/options/settings.ts';
import { ProgressLine } from '../export/report/progress.ts';
import { reportText } from '../export/report/report.ts';
import type { ExportSummary } from '../export/run.ts';
import { runExport } from '../export/run.ts';
import type { Options } from '../export/options/options.ts';
import { statsText, summaryText, troubleText } from '../export/report/summary.ts';
import { safeLine } from '../export/report/safe-text.ts';
import { thingsText } from '../export/report/text.ts';
import { InputError } from '../logs/problem.ts';
import { fileReason } from '../logs/names.ts';
import { nextStep } from '../export/report/next-step.ts';
import { OutputClosed } from '../export/write/sink.ts';
import type { StageName } from './export-stage.ts';
import { ExitError } from './exit.ts';
import { RowCollector } from './export-preview.ts';
import { print, printStderr } from './output.ts';

const EXIT = { failed: 1, usage: 2, empty: 3, violations: 4 } as const;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const DEFAULT_CONFIG = 'config.yaml';

export default defineCommand({
  meta: { name: 'export', description: 'Turn request logs into training data' },
  args: {
    inputs: {
      type: 'positional',
      required: false,
      variadic: true,
      description:
        'Logs: files, directories, globs, s3:// prefixes, - for stdin (default: the log directory)',
    },
    ...(Object.fromEntries(Object.entries(OPTIONS).map(([name, flag]) => [name, argument(flag)])) as ArgsDef),
  },
  async run({ rawArgs }) {
    const stop = stopSignal();
    try {
      const sources = await sourcesOf(rawArgs);
      const options = optionsOf(sources);
      const stage = options.value('stage');
      if (stage !== undefined) await exportStage(stage, sources, options, stop.signal);
      else if (options.value('check')) await check(sources, options, stop.signal);
      else await exportRows(resolveSettings(sources), stop.signal);
    } catch (error) {
      throw exitOf(error, stop.signal);
    } finally {
      stop.release();
    }
  },
});

/** Runs one stage; the last one prints the summary of all. */
async function exportStage(
  stage: StageName,
  sources: Sources,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { runStage } = await import('./export-stage.ts');
  const done = await runStage(stage, sources, options, signal);
  if (!done) return;
  const { summary, settings, output } = done;
  if (options.value('json')) print(reportText(summary.report));
  const empty = settings.failEmpty && summary.report.kept === 0;
  const written = empty ? undefined : output;
  if (!options.value('quiet'))
    printStderr(summaryText(summary, written) + nextText(settings, summary, written));
  if (empty) throw new ExitError(EXIT.empty, 'No row was written');
}

async function exportRows(settings: Settings, signal: AbortSignal): Promise<void> {
  const look = new RowCollector(settings);
  const summary = await exportWith(settings, signal, look);
  // The reader has closed the pipe, as `head` does, and needs no messages.
  if (summary.ended === 'closed') return;
  await look.show(summary.report);
  if (settings.stats) print(settings.json ? reportText(summary.report) : statsText(summary.report));
  else if (settings.json && settings.dryRun) print(reportText(summary.report));
  const empty = settings.failEmpty && summary.report.kept === 0;
  const output = settings.dryRun || empty ? undefined : settings.sink.path;
  if (!settings.quiet) printStderr(summaryText(summary, output) + nextText(settings, summary, output));
  if (empty) throw new ExitError(EXIT.empty, 'No row was written');
  if (!settings.verify || summary.report.kept === 0) return;
  const { verified } = await import('./export-verify.ts');
  const text = verified(settings, summary.report);
  if (!settings.quiet) printStderr(text);
}

/** Suggests the next step if rows were written to files that a trainer loads. */
function nextText({ plan, sink }: Settings, { report }: ExportSummary, output: string | undefined): string {
  if (output === undefined || output === '-' || plan.raw || report.kept === 0) return '';
  const step = nextStep(plan.format, {
    path: output,
    directory: sink.shape === 'directory',
    parquet: sink.parquet,
    validated: sink.splits.includes('validation'),
  });
  return `Next: ${step}\n`;
}

/** Prints violations to stdout, one per line: they are the requested output. */
async function check({ flags }: Sources, options: Options, signal: AbortSignal): Promise<void> {
  const format = options.given('format') ? formatOf(options, 'file') : undefined;
  if (!format)
    throw new ExitError(EXIT.usage, 'Cannot check: give --format NAME, the expected format of the files');
  if (flags.inputs.length === 0) throw new ExitError(EXIT.usage, 'Cannot check: give the files');
  const json = options.value('json');
  const summary = await checkFiles({
    inputs: flags.inputs,
    format,
    signal,
    onViolation: (violation) =>
      print(
        json ? `${JSON.stringify(violation)}\n` : `${safeLine(`${violation.place}: ${violation.problem}`)}\n`,
      ),
  });
  const { rows, bad, violations } = summary;
  if (!options.value('quiet'))
    printStderr(
      `Checked ${thingsText(rows, 'row')} as ${format.name}: ${thingsText(violations, 'violation')} in ${thingsText(bad, 'row')}\n`,
    );
  if (violations > 0) throw new ExitError(EXIT.violations);
}

function argument({ kind, short, hint, help }: OptionRow<unknown>): ArgsDef[string] {
  if (kind.form === 'switch') return { type: 'boolean', alias: short, description: help };
  const repeatable = kind.form === 'list';
  return {
    type: 'string',
    alias: short,
    valueHint: hint,
    description: help,
    ...(repeatable ? { repeatable } : {}),
  };
}

async function sourcesOf(args: readonly string[]): Promise<Sources> {
  const flags = parseFlags(args);
  const env = environmentOptions(process.env);
  // All stages but the first follow the plan alone.
  const planned = ![undefined, 'plan'].includes(flags.values.stage as string | undefined);
  const config = planned ? undefined : await readConfig(flags, env);
  return { flags, env, config, terminal: process.stdout.isTTY === true, nowMs: Date.now(), argv: args };
}

async function exportWith(
  settings: Settings,
  signal: AbortSignal,
  look: RowCollector,
): Promise<ExportSummary> {
  const terminal = process.stderr.isTTY === true;
  const shown = settings.progress === 'always' || (settings.progress === 'auto' && terminal);
  const line =
    shown && !settings.quiet
      ? new ProgressLine({ clock: systemClock, write: printStderr, redraw: terminal })
      : undefined;
  try {
    return await runExport(settings, {
      signal,
      ...(look.wanted > 0 ? { onRows: look.take } : {}),
      onProgress: (progress) => line?.update({ ...progress, memory: process.memoryUsage.rss() }),
      onTrouble: (trouble) => {
        if (!settings.verbose) return;
        line?.clear();
        printStderr(troubleText(trouble));
      },
    });
  } finally {
    line?.clear();
  }
}

/** The named configuration, or ./config.yaml if it is valid: exports do not need one. */
async function readConfig(flags: GivenOptions, env: GivenOptions): Promise<Config | undefined> {
  const named = flags.values.config ?? env.values.config ?? (process.env.LLMPROXY_CONFIG || undefined);
  const path = named === undefined ? DEFAULT_CONFIG : String(named);
  if (named === undefined && !existsSync(path)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(EXIT.failed, `Cannot read ${path}: ${fileReason(cause)}`);
  }
  // Most exports have none, and loading it takes longer than their start.
  const { loadConfig } = await import('../config/load.ts');
  const { config } = loadConfig({ path, text, env: process.env });
  if (config) return config;
  const advice = `see llmproxy config validate ${path}`;
  if (named !== undefined) throw new ExitError(EXIT.failed, `Cannot use ${path}: it is not valid, ${advice}`);
  printStderr(`warning: ${path} is not valid, its export section is not used; ${advice}\n`);
  return undefined;
}

/**
 * Aborts on the first Ctrl-C, or when the terminal is closed, so that no partial output remains; the second signal exits
 * at once.
 */
function stopSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const names = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).filter(
    (name) => name !== 'SIGHUP' || !ignoresHangup(),
  );
  const release = () => names.forEach((name) => process.off(name, onSignal));
  const onSignal = (name: NodeJS.Signals) => {
    release();
    controller.abort(name);
  };
  names.forEach((name) => process.on(name, onSignal));
  return { signal: controller.signal, release };
}

/** Whether the process was started with `nohup`, which a handler would undo. Only Linux tells; elsewhere it is assumed. */
function ignoresHangup(): boolean {
  try {
    const [, ignored] = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    // SIGHUP is signal 1, the lowest bit.
    return ignored === undefined || (Number.parseInt(ignored.at(-1)!, 16) & 1) === 1;
  } catch {
    return true;
  }
}

/** Converts an error to an exit code with a message for the user. */
function exitOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new ExitError(SIGNALS[signal.reason as keyof typeof SIGNALS]);
  if (error instanceof ExportError) return new ExitError(EXIT[error.kind], error.message);
  if (error instanceof InputError) return new ExitError(EXIT.failed, error.message);
  if (error instanceof OutputClosed) return new ExitError(EXIT.failed, error.message);
  return error;
}
