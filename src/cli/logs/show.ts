import type { ArgsDef } from 'citty';
import { defineCommand } from 'citty';
import type { LogInput } from '../../logs/input.ts';
import type { RecordWithFeedback } from '../../logs/newest/by-id.ts';
import { findInputs } from '../../logs/input.ts';
import { recordById } from '../../logs/newest/by-id.ts';
import { newestRecords } from '../../logs/newest/newest.ts';
import { about } from '../argv/command.ts';
import { repeated } from '../argv/parse.ts';
import { ExitError } from '../exit.ts';
import { paintOf } from '../lines/paint.ts';
import { utcTime } from '../lines/times.ts';
import { print, useColor } from '../output.ts';
import { CONFIG_FLAG } from '../source.ts';
import { widthOf } from '../wrap.ts';
import type { Choice } from './choice.ts';
import { CHOICE_FLAGS, choiceOf } from './choice.ts';
import { LOGS_OPERAND, logsNamed, printMessage, withKnownErrors } from './logs.ts';
import { recordText } from './record-text.ts';

const ARGS: ArgsDef = {
  id: {
    type: 'positional',
    required: true,
    description:
      'ID of the request, or at least the last six characters of it; `last` for the newest selected request',
  },
  logs: LOGS_OPERAND,
  raw: { type: 'boolean', description: 'Print the original line from the log' },
  ...CHOICE_FLAGS,
  config: CONFIG_FLAG,
};

export default defineCommand({
  meta: about({
    name: 'show',
    description: 'Show one request: its content, answer, attempts, timing and cost',
    examples: [
      'llmproxy logs show last',
      'llmproxy logs show last --failed --key alice',
      'llmproxy logs show 01ccd7b6 --raw | jq .request',
    ],
  }),
  args: ARGS,
  async run({ args, rawArgs }) {
    await withKnownErrors(async () => {
      const [id = '', ...logs] = args._;
      if (id === '') throw new ExitError(2, 'Cannot show a request: its id is empty');
      const choice = choiceOf(rawArgs, Date.now());
      if (choice.any && id !== 'last')
        throw new ExitError(2, `Cannot filter the requests that ${id} identifies: filters belong to last`);
      const inputs = await findInputs(logsNamed(logs, repeated(rawArgs, 'config').at(-1)));
      const found =
        id === 'last'
          ? await newest(inputs, choice)
          : await recordById(inputs, id, { onProblem: printMessage });
      if (!found) throw new ExitError(1, notFound(id, choice));
      const { stdout } = process;
      if (args.raw === true) return print(`${found.line.toString()}\n`);
      const paint = paintOf(useColor(stdout));
      const text = recordText(found.record, found.feedback, { paint, width: widthOf(stdout), time: utcTime });
      print(`${text}\n`);
    });
  },
});

/** The newest request: feedback does not count. */
async function newest(
  inputs: readonly LogInput[],
  { test, sinceMs }: Choice,
): Promise<RecordWithFeedback | undefined> {
  const wants: typeof test.wants = (head, whole) =>
    head.endpoint !== 'feedback' && (test.wants?.(head, whole) ?? true);
  const [last] = await newestRecords(inputs, {
    test: { ...test, wants },
    most: 1,
    sinceMs,
    onProblem: printMessage,
  });
  return last && (await recordById(inputs, last.head.id, { onProblem: printMessage }));
}

function notFound(id: string, { any }: Choice): string {
  if (id === 'last')
    return any
      ? 'Cannot show the last request: none matches'
      : 'Cannot show the last request: none is logged yet';
  return `Cannot find request ${id}: it is not in the log, or its file is gone`;
}
