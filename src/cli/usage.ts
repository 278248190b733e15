import { defineCommand } from 'citty';
import { readFileSync } from 'node:fs';
import { about } from './argv/command.ts';
import type { Config } from '../config/schema.ts';
import type { UsageOptions } from '../usage/options.ts';
import { fileReason } from '../logs/names.ts';
import { InputError } from '../logs/problem.ts';
import { momentFrom, momentUntil } from '../config/moment.ts';
import { isTimeZone } from '../config/time-zone.ts';
import { readBill } from '../usage/bills.ts';
import { decodeCsv, parseCsv } from '../usage/csv.ts';
import { facetsOf, UsageError } from '../usage/options.ts';
import { priceSetup } from '../usage/pricing.ts';
import { reconcile } from '../usage/reconcile.ts';
import { usageOf } from '../usage/usage.ts';
import { ExitError } from './exit.ts';
import { integerFlag } from './argv/integer.ts';
import { print, useColor } from './output.ts';
import { reconcileText } from './reconcile-text.ts';
import { CONFIG_FLAG, readConfig } from './source.ts';
import { usageCsv } from './usage-csv.ts';
import { usageText } from './usage-text.ts';
import { widthOf } from './wrap.ts';

const EXIT = { failed: 1, usage: 2 } as const;
const MOMENT =
  'expected a day such as 2026-11-23, a month, an ISO time, a span such as 24h, today or yesterday';

export default defineCommand({
  meta: about({
    name: 'usage',
    description: 'Show the usage and cost of requests from the request log',
    examples: [
      'llmproxy usage --since month --by key',
      'llmproxy usage --today --by model,hour --time-zone Europe/Berlin',
      'llmproxy usage old-logs/ --csv > usage.csv',
      'llmproxy usage --reconcile openai-costs.csv',
    ],
  }),
  args: {
    logs: {
      type: 'positional',
      required: false,
      variadic: true,
      description:
        'Logs: files, directories, globs, s3:// prefixes, - for stdin (default: the log directory)',
    },
    by: {
      type: 'string',
      valueHint: 'names',
      description:
        'What to group by: key, model, provider, upstream_model, endpoint, group, user, day, hour, month, outcome, tag.NAME, label.NAME; several separated by commas (default: model)',
    },
    since: {
      type: 'string',
      valueHint: 'time',
      description: 'Start at this day, time or age: 2026-11-23, 24h, today, yesterday, month',
    },
    until: { type: 'string', valueHint: 'time', description: 'End at this day or time, inclusive' },
    today: { type: 'boolean', description: 'Same as --since today' },
    'time-zone': {
      type: 'string',
      valueHint: 'name',
      description: 'Time zone of days, hours and months, such as Europe/Berlin (default: UTC)',
    },
    key: { type: 'string', valueHint: 'name', description: 'Only requests of this client key' },
    top: {
      type: 'string',
      valueHint: 'n',
      description: 'Only the most expensive rows; the others are combined',
    },
    reprice: {
      type: 'boolean',
      description: 'Recompute all costs with the current configuration and price table',
    },
    reconcile: {
      type: 'string',
      valueHint: 'file',
      description:
        'Compare with a CSV file of OpenAI (usage, costs), Anthropic (usage, costs) or OpenRouter (activity), by day and model',
    },
    provider: {
      type: 'string',
      valueHint: 'name',
      description:
        'With --reconcile: the configured provider that the file belongs to (default: all of its vendor)',
    },
    json: { type: 'boolean', description: 'Print the report as JSON' },
    csv: { type: 'boolean', description: 'Print the rows as CSV' },
    config: CONFIG_FLAG,
  },
  async run({ args }) {
    try {
      if (args.reconcile !== undefined) return await compare(args.reconcile, args);
      if (args.provider !== undefined)
        throw new ExitError(EXIT.usage, 'Cannot use --provider: it belongs to --reconcile');
      if (args.json && args.csv)
        throw new ExitError(EXIT.usage, 'Cannot use --json with --csv: give one of them');
      const report = await usageOf(optionsOf(args));
      if (args.json) return print(`${JSON.stringify(report, null, 2)}\n`);
      if (args.csv) return print(usageCsv(report));
      const { stdout } = process;
      print(`${usageText(report, { width: widthOf(stdout), color: useColor(stdout) })}\n`);
    } catch (error) {
      if (error instanceof InputError) throw new ExitError(EXIT.failed, error.message);
      if (error instanceof UsageError) throw new ExitError(EXIT.usage, error.message);
      throw error;
    }
  },
});

async function compare(path: string, args: Given): Promise<void> {
  if (args.csv) throw new ExitError(EXIT.usage, 'Cannot use --csv with --reconcile: use --json');
  for (const flag of NOT_COMPARED)
    if (args[flag] !== undefined)
      throw new ExitError(
        EXIT.usage,
        `Cannot use --${flag} with --reconcile: it compares the days and models of the file`,
      );
  const { config } = readConfig(args.config);
  const setup = priceSetup(config);
  const result = await reconcile({
    bill: readBill(path, parseCsv(readText(path))),
    setup,
    inputs: inputsOf(args._, config),
    ...(args.provider === undefined ? {} : { providers: [args.provider] }),
    ...(args.reprice ? { prices: setup } : {}),
  });
  const { provider } = args;
  const isKnown = config.providers.some(({ name }) => name === provider) || result.providers.length > 0;
  if (provider !== undefined && !isKnown)
    throw new ExitError(
      EXIT.usage,
      `Cannot use --provider ${provider}: neither the configuration nor the log has it on these days`,
    );
  print(
    args.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : `${reconcileText(result, widthOf(process.stdout))}\n`,
  );
}

/** The flags of reports that a comparison does not follow. */
const NOT_COMPARED = ['by', 'since', 'until', 'today', 'time-zone', 'key', 'top'] as const;

function readText(path: string): string {
  try {
    return decodeCsv(readFileSync(path));
  } catch (cause) {
    throw new ExitError(EXIT.failed, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}

/** The flags used here. */
interface Given {
  readonly _: readonly string[];
  readonly by?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly today?: boolean | undefined;
  readonly 'time-zone'?: string | undefined;
  readonly key?: string | undefined;
  readonly top?: string | undefined;
  readonly reprice?: boolean | undefined;
  readonly config?: string | undefined;
  readonly provider?: string | undefined;
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
}

function optionsOf(args: Given): UsageOptions {
  const { key, top, reprice } = args;
  const timeZone = args['time-zone'] ?? 'UTC';
  if (!isTimeZone(timeZone))
    throw new ExitError(
      EXIT.usage,
      `Cannot use --time-zone ${timeZone}: expected a name such as Europe/Berlin`,
    );
  const needed = args._.length === 0 || reprice === true;
  const config = needed || args.config !== undefined ? readConfig(args.config).config : undefined;
  return {
    inputs: inputsOf(args._, config),
    by: facetsOf(args.by ?? 'model'),
    timeZone,
    ...spanOf(args, timeZone),
    ...(key === undefined ? {} : { key }),
    ...(top === undefined ? {} : { top: integerFlag('top', top, 1, 1_000_000) }),
    ...(reprice ? { prices: priceSetup(config!) } : {}),
  };
}

function inputsOf(named: readonly string[], config: Config | undefined): readonly string[] {
  return named.length > 0 ? named : [config!.logging.requests.directory];
}

function spanOf({ since, until, today }: Given, timeZone: string): Pick<UsageOptions, 'fromMs' | 'untilMs'> {
  if (today && since !== undefined)
    throw new ExitError(EXIT.usage, 'Cannot use --today with --since: give one of them');
  const options = { nowMs: Date.now(), timeZone };
  const from = today ? 'today' : since;
  const fromMs = from === undefined ? undefined : moment('since', from, momentFrom(from, options));
  const untilMs = until === undefined ? undefined : moment('until', until, momentUntil(until, options));
  if (fromMs !== undefined && untilMs !== undefined && fromMs > untilMs)
    throw new ExitError(EXIT.usage, `Cannot use --since ${from}: it is after --until ${until}`);
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(untilMs === undefined ? {} : { untilMs }) };
}

function moment(flag: string, text: string, ms: number): number {
  if (Number.isNaN(ms)) throw new ExitError(EXIT.usage, `Cannot use --${flag} ${text}: ${MOMENT}`);
  return ms;
}
