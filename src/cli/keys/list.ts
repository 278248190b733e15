import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import { print } from '../output.ts';
import { table } from '../table.ts';
import { widthOf } from '../wrap.ts';
import type { DescribedKey } from './described.ts';
import { described, endOf, momentText, usd } from './described.ts';
import { findPlace, keysAt, PLACE_FLAGS } from './place.ts';
import { printMessage } from './messages.ts';
import { lastUseAndSpend } from './use.ts';

const meta: CommandInfo = {
  name: 'list',
  description: 'List all keys, with their last use and their cost this month (UTC)',
  examples: ['llmproxy keys list', "llmproxy keys list --json | jq -r '.[] | .name'"],
};

export default defineCommand({
  meta,
  args: { ...PLACE_FLAGS, json: { type: 'boolean', description: 'Print the list as JSON' } },
  run({ args }) {
    const place = findPlace(args);
    const { keys, raises } = keysAt(place);
    const nowMs = Date.now();
    const uses = lastUseAndSpend(place.config, nowMs);
    const all = keys.map((each) => described(each, { raises, use: uses.get(each.key.name), nowMs }));
    if (args.json) return print(`${JSON.stringify(all, null, 2)}\n`);
    if (all.length === 0)
      return printMessage('There are no keys yet: llmproxy keys create NAME creates one.');
    const header = ['NAME', 'PREFIX', 'GROUP', 'EXPIRES', 'LAST USE', 'USD'];
    print(`${table(header, all.map(cells), widthOf(process.stdout))}\n`);
  },
});

/** A date without the time: `show` prints it in full. */
const DAY_LETTERS = 10;

function cells(key: DescribedKey): string[] {
  const { name, prefix, where, group, state, expires } = key;
  const end = state === 'active' ? endOf(expires).slice(0, DAY_LETTERS) : state;
  return [
    name,
    prefix ?? (where === 'configuration' ? 'config' : '-'),
    group ?? '-',
    end,
    momentText(key.last_used).replace(/ UTC$/, ''),
    usd(key.spent_this_month),
  ];
}
