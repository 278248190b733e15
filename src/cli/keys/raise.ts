import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import type { KeyConfig } from '../../config/schema/auth.ts';
import type { Config } from '../../config/schema.ts';
import { until } from '../../config/words.ts';
import { groupsOf } from '../../limits/access.ts';
import { ExitError } from '../exit.ts';
import type { Amount, Kind } from './amounts.ts';
import { amountsIn } from './amounts.ts';
import { changeKeys } from './change.ts';
import { AMOUNT_FLAGS } from './create.ts';
import { endText, untilFlag } from './moments.ts';
import { findPlace, keysIn, PLACE_FLAGS } from './place.ts';
import { printMessage, printTakenOver } from './messages.ts';

const meta: CommandInfo = {
  name: 'raise',
  description: 'Temporarily raise the limits of a key',
  examples: [
    'llmproxy keys raise alice --budget +20 --until tomorrow',
    'llmproxy keys raise alice --tokens 2M --until 24h',
  ],
};

export default defineCommand({
  meta,
  args: {
    name: {
      type: 'positional',
      required: true,
      description: 'Name of the key, from the keys file or the configuration',
    },
    budget: { ...AMOUNT_FLAGS.budget, description: 'Additional USD' },
    tokens: { ...AMOUNT_FLAGS.tokens, description: 'Additional tokens, such as 200k' },
    requests: { ...AMOUNT_FLAGS.requests, description: 'Additional requests' },
    concurrent: { ...AMOUNT_FLAGS.concurrent, description: 'Additional concurrent requests' },
    until: {
      type: 'string',
      valueHint: 'date',
      description: 'Last day (UTC), moment, today, tomorrow, or duration such as 24h',
    },
    ...PLACE_FLAGS,
  },
  run({ args }) {
    const { name } = args;
    const amounts = amountsIn(args);
    if (amounts.length === 0)
      throw new ExitError(2, `Cannot raise ${name}: give --budget, --tokens, --requests or --concurrent`);
    if (args.until === undefined)
      throw new ExitError(2, `Cannot raise ${name}: give --until, the end of the raise`);
    const place = findPlace(args);
    const nowMs = Date.now();
    const end = untilFlag('until', args.until, nowMs);
    changeKeys(place, ({ file, document }) => {
      const key = [...keysIn(place.config), ...file.keys].find((each) => each.name === name);
      if (!key)
        throw new ExitError(1, `Cannot raise ${name}: there is no such key; llmproxy keys list shows all`);
      for (const { kind } of amounts) refuseUnlimited(key, kind, place.config);
      document.keepRaises((text) => until.parse(text) > nowMs);
      for (const { kind, amount } of amounts) document.addRaise({ key: name, kind, by: amount, until: end });
    });
    printMessage(
      `The key ${name} may use ${amounts.map(amountText).join(' and ')} more, until ${endText(until.parse(end))}.`,
    );
    printTakenOver(place);
  },
});

/** Rejects a raise of something unlimited: it would not affect the limit that was meant. */
function refuseUnlimited({ name, group, limits }: KeyConfig, kind: Kind, { groups }: Config): void {
  const own = [...limits, ...groupsOf(group, groups).flatMap((each) => each.group.each_key)];
  if (own.some((limit) => limit[kind] !== undefined)) return;
  throw new ExitError(
    1,
    `Cannot raise ${kind} of ${name}: it has no such limit of its own, neither in its \`limits\` nor in \`each_key\` of its groups. What a group shares is changed in the configuration`,
  );
}

function amountText({ kind, amount }: Amount): string {
  return kind === 'budget'
    ? `${amount} USD`
    : `${amount} ${kind === 'concurrent' ? 'requests at once' : kind}`;
}
