import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import type { LimitConfig } from '../../config/schema/groups.ts';
import { ExitError } from '../exit.ts';
import { print } from '../output.ts';
import type { DescribedKey, DescribedRaise } from './described.ts';
import { described, endOf, momentText, usd } from './described.ts';
import { findPlace, keysAt, PLACE_FLAGS } from './place.ts';
import { lastUseAndSpend } from './use.ts';

const meta: CommandInfo = {
  name: 'show',
  description: 'Show what a key may do, and its usage this month (UTC)',
  examples: ['llmproxy keys show alice'],
};

export default defineCommand({
  meta,
  args: {
    name: { type: 'positional', required: true, description: 'Name of the key' },
    ...PLACE_FLAGS,
    json: { type: 'boolean', description: 'Print it as JSON' },
  },
  run({ args }) {
    const place = findPlace(args);
    const { keys, raises } = keysAt(place);
    const found = keys.find(({ key }) => key.name === args.name);
    if (!found)
      throw new ExitError(1, `Cannot show ${args.name}: there is no such key; llmproxy keys list shows all`);
    const nowMs = Date.now();
    const uses = lastUseAndSpend(place.config, nowMs);
    const key = described(found, { raises, use: uses.get(args.name), nowMs });
    print(args.json ? `${JSON.stringify(key, null, 2)}\n` : details(key));
  },
});

function details(key: DescribedKey): string {
  const fields: readonly (readonly [string, string])[] = [
    ['name', key.name],
    ['written in', key.where === 'keys_file' ? 'the keys file' : 'the configuration'],
    ['state', key.state],
    ['prefix', key.prefix ?? '-'],
    ['group', key.group ?? '-'],
    ['models', listText(key.models)],
    ['endpoints', listText(key.endpoints)],
    ['providers', listText(key.providers)],
    ...key.limits.map((limit): [string, string] => ['limit', limitText(limit)]),
    ...key.raises.map((raise): [string, string] => ['raise', raiseText(raise)]),
    ['expires', endOf(key.expires)],
    ['labels', labelText(key.labels)],
    ['log', key.log ?? '-'],
    ['ops', key.ops === null ? '-' : String(key.ops)],
    ['created', momentText(key.created)],
    ['rotated', momentText(key.rotated)],
    ...key.previous_until.map((until): [string, string] => ['old key', `works until ${endOf(until)}`]),
    ['last use', momentText(key.last_used)],
    ['spent', `${usd(key.spent_this_month)} USD this month, ${key.requests_this_month} requests`],
  ];
  return fields.map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join('');
}

function raiseText({ kind, by, until }: DescribedRaise): string {
  return `${kind} +${by} until ${endOf(until)}`;
}

function limitText({ requests, tokens, budget, concurrent, per }: LimitConfig): string {
  if (concurrent !== undefined) return `${concurrent} requests at once`;
  const amount =
    budget !== undefined
      ? `${budget} USD`
      : tokens !== undefined
        ? `${tokens} tokens`
        : `${requests} requests`;
  return per === 'total' ? `${amount} in total` : `${amount} per ${per}`;
}

function listText(list: readonly string[] | null): string {
  return list === null ? 'all' : list.length === 0 ? 'none' : list.join(', ');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? '-' : pairs.join(', ');
}
