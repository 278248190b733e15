/** `llmproxy export --stage`: one stage of an export that runs on several machines. */
import { resolve } from 'node:path';
import type { OptionName } from '../config/export/options.ts';
import type { Options } from '../export/options/options.ts';
import type { Settings, Sources } from '../export/options/settings.ts';
import type { StagePlan } from '../export/stages/stage-plan.ts';
import type { ExportSummary } from '../export/run.ts';
import { ExportError } from '../export/errors.ts';
import { framesIn } from '../export/stages/arrow/decode.ts';
import { StringColumn } from '../export/stages/arrow/build.ts';
import { COUNT_COLUMNS, DECISION_COLUMNS, KIND, ROW_COLUMNS } from '../export/stages/columns.ts';
import { decide } from '../export/stages/decide.ts';
import { Exchange } from '../export/stages/exchange/exchange.ts';
import { extract } from '../export/stages/extract.ts';
import { finish } from '../export/stages/finish.ts';
import { FrameWriter } from '../export/stages/frame-writer.ts';
import { makePlan } from '../export/stages/make-plan.ts';
import { render } from '../export/stages/render.ts';
import { readPlan, settingsOf } from '../export/stages/stage-plan.ts';
import { ByteSink } from '../export/write/byte-sink.ts';

const STDOUT_FD = 1;

/** What the last stage reports. */
interface Finished {
  readonly summary: ExportSummary;
  readonly settings: Settings;
  /** The directory of the dataset. */
  readonly output: string;
}

export type StageName = 'plan' | 'extract' | 'decide' | 'render' | 'finish';

/** The flags of each stage, in addition to those of the plan. */
const TAKEN: Readonly<Record<Exclude<StageName, 'plan'>, readonly OptionName[]>> = {
  extract: ['plan', 'range', 'exchange'],
  decide: ['plan', 'partition', 'exchange'],
  render: ['plan', 'range', 'exchange', 'output'],
  finish: ['plan', 'exchange', 'output', 'quiet', 'json'],
};

/**
 * Runs a stage.
 * @returns the summary of the whole export when it is the last one
 * @throws ExportError, InputError; the signal's reason when it aborts
 */
export async function runStage(
  stage: StageName,
  sources: Sources,
  options: Options,
  signal: AbortSignal,
): Promise<Finished | undefined> {
  if (stage === 'plan') {
    await makePlan(sources);
    return undefined;
  }
  refuseOthers(stage, sources);
  const plan = readPlan(needed(options, stage, 'plan'));
  const directory = options.value('exchange');
  const exchange = directory === undefined ? undefined : new Exchange(directory, plan);
  const output = options.given('output') ? resolve(String(options.value('output'))) : plan.output;
  if (stage === 'extract') await extractRange(plan, needed(options, stage, 'range'), exchange, signal);
  else if (stage === 'decide')
    await decidePartition(plan, needed(options, stage, 'partition'), exchange, signal);
  else if (stage === 'render')
    await renderRange(plan, needed(options, stage, 'range'), { exchange, output, signal });
  else {
    const summary = await finished(plan, exchange, signal, { output, here: !options.given('output') });
    return { summary, settings: settingsOf(plan), output };
  }
  return undefined;
}

/** Settings come from the plan: another one here would apply to a part of the rows only. */
function refuseOthers(stage: Exclude<StageName, 'plan'>, { flags }: Sources): void {
  const taken: readonly string[] = ['stage', ...TAKEN[stage]];
  const other = Object.keys(flags.values).find((name) => !taken.includes(name));
  if (other !== undefined)
    throw new ExportError(
      'usage',
      `Cannot use --${other} with --stage ${stage}: give it to --stage plan, which all stages follow`,
    );
  if (flags.inputs.length > 0)
    throw new ExportError(
      'usage',
      `Cannot use ${flags.inputs[0]} with --stage ${stage}: give logs to --stage plan, which all stages follow`,
    );
}

function needed<Name extends 'plan' | 'range' | 'partition'>(options: Options, stage: StageName, name: Name) {
  const value = options.value(name);
  if (value === undefined) throw new ExportError('usage', `Cannot run --stage ${stage}: give --${name}`);
  return value;
}

async function extractRange(
  plan: StagePlan,
  range: number,
  exchange: Exchange | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (exchange) {
    const frames: Parameters<Exchange['putRows']>[1][number][] = [];
    await extract(plan, range, { signal, write: async (frame) => void frames.push(frame) });
    return exchange.putRows(range, frames);
  }
  const stdout = new ByteSink(STDOUT_FD, 'standard output', false);
  const writer = new FrameWriter(ROW_COLUMNS, (bytes) => stdout.write(bytes));
  await extract(plan, range, { signal, write: (frame) => writer.write(frame) });
  await writer.end();
  await stdout.end();
}

async function decidePartition(
  plan: StagePlan,
  partition: number,
  exchange: Exchange | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (exchange) {
    const target = exchange.decisionsFrom(partition);
    try {
      await decide(plan, exchange.rowsOf(partition), { partition, signal, write: target.write });
      await target.finish();
    } catch (error) {
      target.discard();
      throw error;
    }
    return;
  }
  const stdout = new ByteSink(STDOUT_FD, 'standard output', false);
  const writer = new FrameWriter(DECISION_COLUMNS, (bytes) => stdout.write(bytes));
  const rows = framesIn(ROW_COLUMNS, stdin(signal));
  await decide(plan, rows, { partition, signal, write: (frame) => writer.write(frame) });
  await writer.end();
  await stdout.end();
}

async function renderRange(
  plan: StagePlan,
  range: number,
  {
    exchange,
    output,
    signal,
  }: { readonly exchange: Exchange | undefined; readonly output: string; readonly signal: AbortSignal },
): Promise<void> {
  const decisions = exchange ? exchange.decisionsOn(range) : framesIn(DECISION_COLUMNS, stdin(signal));
  const counts = await render(plan, range, decisions, { output, signal });
  if (exchange) return exchange.putCounts(counts);
  const stdout = new ByteSink(STDOUT_FD, 'standard output', false);
  const writer = new FrameWriter(COUNT_COLUMNS, (bytes) => stdout.write(bytes));
  const payload = new StringColumn();
  payload.push(JSON.stringify(counts));
  const columns = { kind: Int8Array.of(KIND.counts), range: Int32Array.of(range), payload: payload.values };
  await writer.write({ rows: 1, columns });
  await writer.end();
  await stdout.end();
}

async function finished(
  plan: StagePlan,
  exchange: Exchange | undefined,
  signal: AbortSignal,
  where: { readonly output: string; readonly here: boolean },
): Promise<ExportSummary> {
  const pieces = exchange ? [] : await Array.fromAsync(stdin(signal));
  const texts = exchange?.counts() ?? Buffer.concat(pieces).toString('utf8').split('\n').filter(Boolean);
  return finish(plan, texts, where);
}

/** The input until the signal aborts, even while none arrives. */
async function* stdin(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = Bun.stdin.stream().getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
