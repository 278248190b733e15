import type { ArgsDef } from 'citty';
import { defineCommand } from 'citty';
import { existsSync } from 'node:fs';
import type { FoundRecord } from '../../logs/newest/newest.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ExportError } from '../../export/errors.ts';
import { nearest } from '../../config/suggest.ts';
import { findInputs } from '../../logs/input.ts';
import { LogFollower } from '../../logs/newest/follow.ts';
import { headOf, recordOf } from '../../logs/newest/found.ts';
import { newestRecords } from '../../logs/newest/newest.ts';
import { InputError } from '../../logs/problem.ts';
import { about } from '../argv/command.ts';
import { integerFlag } from '../argv/integer.ts';
import { repeated } from '../argv/parse.ts';
import { ExitError } from '../exit.ts';
import { paintOf } from '../lines/paint.ts';
import { requestLine } from '../lines/request-line.ts';
import { clockTime, dayTime, endedMs, utcTime } from '../lines/times.ts';
import { print, printStderr, useColor } from '../output.ts';
import { CONFIG_FLAG, readConfig } from '../source.ts';
import { widthOf } from '../wrap.ts';
import type { Choice } from './choice.ts';
import { CHOICE_FLAGS, choiceOf } from './choice.ts';

const EXIT = { failed: 1, usage: 2 } as const;
/** A longer list is not useful to read: an export has all records. */
const MOST = 100_000;

/** Where records are searched for. */
export const LOGS_OPERAND = {
  type: 'positional',
  required: false,
  variadic: true,
  description: 'Logs: files, directories, globs, s3:// prefixes, - for stdin (default: the log directory)',
} as const;

const ARGS: ArgsDef = {
  logs: LOGS_OPERAND,
  lines: {
    type: 'string',
    alias: 'n',
    valueHint: 'n',
    description: 'Number of requests to show',
    default: '20',
  },
  follow: { type: 'boolean', alias: 'f', description: 'Keep showing requests as they end' },
  ...CHOICE_FLAGS,
  json: { type: 'boolean', description: 'Print the heads of the records, one JSON object per line' },
  config: CONFIG_FLAG,
};

export default defineCommand({
  meta: about({
    name: 'logs',
    description: 'Show requests from the request log, newest last',
    examples: [
      'llmproxy logs -f',
      'llmproxy logs --failed --since 2h',
      "llmproxy logs --key alice --where 'cost > 0.01 && attempts > 1'",
      'llmproxy logs show last',
      'llmproxy logs show 01ccd7b6',
    ],
  }),
  args: ARGS,
  subCommands: { show: async () => (await import('./show.ts')).default },
  async run({ args, rawArgs }) {
    await withKnownErrors(async () => {
      refuseMisspelt(args._);
      const named = logsNamed(args._, repeated(rawArgs, 'config').at(-1));
      const choice = choiceOf(rawArgs, Date.now());
      const most = integerFlag('lines', repeated(rawArgs, 'lines').at(-1) ?? '20', 0, MOST);
      const show = args.json === true ? showJson : lineShower();
      if (args.follow === true) await follow(named, choice, { most, show });
      else await list(named, choice, { most, show });
    });
  },
});

/** A word in the place of a subcommand that is not a file may be a misspelt command. @throws ExitError 2 */
function refuseMisspelt([first = '']: readonly string[]): void {
  const [close] = existsSync(first) ? [] : nearest(first, ['show', 'last'], 1);
  if (close === undefined) return;
  throw new ExitError(
    EXIT.usage,
    `Cannot read ${first}: there is no such file or directory, did you mean \`llmproxy logs ${close === 'last' ? 'show last' : close}\`?`,
  );
}

interface Listing {
  readonly most: number;
  readonly show: (head: JsonObject) => void;
}

async function list(named: readonly string[], choice: Choice, { most, show }: Listing): Promise<void> {
  const inputs = await findInputs(named);
  const { test, sinceMs } = choice;
  const found = await newestRecords(inputs, { test, most, sinceMs, onProblem: printMessage });
  for (const { head } of found.toReversed()) show(head);
  if (found.length === 0 && most > 0)
    printMessage(choice.any ? 'No request matches' : 'No request is logged yet');
}

async function follow(named: readonly string[], choice: Choice, { most, show }: Listing): Promise<void> {
  const strange = named.find((name) => name === '-' || name.includes('://') || /[*?[{]/.test(name));
  if (strange !== undefined)
    throw new ExitError(EXIT.usage, `Cannot follow ${strange}: give a directory, or a file of this machine`);
  const follower = new LogFollower(named);
  const ends = await follower.begin();
  const { test, sinceMs } = choice;
  // Records written meanwhile are found twice: they are printed by the follower only.
  const isBefore = ({ input, at }: FoundRecord) => at < (ends.get(input.path) ?? Infinity);
  const inputs = await findInputs(named).catch((error: unknown) => {
    // The files may be created later.
    if (error instanceof InputError) return [];
    throw error;
  });
  const found = await newestRecords(inputs, { test, most, sinceMs, onProblem: printMessage });
  for (const record of found.toReversed()) if (isBefore(record)) show(record.head);
  for await (const { line } of follower.lines(NEVER)) {
    const head = headOf(line);
    if (head && (test.wants?.(head, () => recordOf(line)) ?? true)) show(head);
  }
}

/** Following ends with the program. */
const NEVER = new AbortController().signal;

function lineShower(): (head: JsonObject) => void {
  const { stdout } = process;
  const paint = paintOf(useColor(stdout));
  const today = dayTime(Date.now()).slice(0, 5);
  const local = (ms: number) => (dayTime(ms).startsWith(today) ? clockTime(ms) : dayTime(ms));
  const stamp = stdout.isTTY === true ? local : utcTime;
  const time = (record: JsonObject) => stamp(endedMs(record));
  return (head) => print(`${requestLine(head, { width: widthOf(stdout), paint, time })}\n`);
}

function showJson(head: JsonObject): void {
  print(`${JSON.stringify(head)}\n`);
}

/** The given logs, or the directory in the configuration. */
export function logsNamed(named: readonly string[], config: string | undefined): readonly string[] {
  return named.length > 0 ? named : [readConfig(config).config.logging.requests.directory];
}

/** @throws ExitError in place of expected errors */
export async function withKnownErrors(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InputError) throw new ExitError(EXIT.failed, error.message);
    if (error instanceof ExportError) throw new ExitError(EXIT.usage, error.message);
    throw error;
  }
}

export function printMessage(message: string): void {
  printStderr(`${message}\n`);
}
