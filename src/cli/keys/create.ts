import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import { ExitError } from '../exit.ts';
import { limitsIn } from './amounts.ts';
import { changeKeys } from './change.ts';
import { labelsIn, listFlag } from './lists.ts';
import { momentOf, untilFlag } from './moments.ts';
import { findPlace, keysIn, PLACE_FLAGS } from './place.ts';
import { newSecret } from './secret.ts';
import { printSecret } from './messages.ts';

const meta: CommandInfo = {
  name: 'create',
  description: 'Create a key. It is printed only once; the keys file stores its hash',
  examples: [
    'llmproxy keys create alice',
    'KEY=$(llmproxy keys create ci --models "gpt-*,fast" --expires 90d)',
    'llmproxy keys create search --group acme --budget 50 --per month',
    'llmproxy keys create bot --endpoints chat,embeddings --label team=search',
  ],
};

/** The flags for amounts, of a new key's limits and of raises. */
export const AMOUNT_FLAGS = {
  budget: { type: 'string', valueHint: 'usd', description: 'Budget in USD' },
  tokens: { type: 'string', valueHint: 'count', description: 'Limit on tokens, such as 200k' },
  requests: { type: 'string', valueHint: 'count', description: 'Limit on requests' },
  concurrent: { type: 'string', valueHint: 'count', description: 'Limit on concurrent requests' },
} as const;

export default defineCommand({
  meta,
  args: {
    name: { type: 'positional', required: true, description: 'Name of the key in logs and metrics' },
    group: { type: 'string', valueHint: 'name', description: 'Group of the key, from `groups`' },
    models: {
      type: 'string',
      valueHint: 'globs',
      description: 'Models it may request, separated by commas; "" for none',
    },
    endpoints: {
      type: 'string',
      valueHint: 'globs',
      description: 'Endpoints it may use, such as chat,images.*',
    },
    providers: { type: 'string', valueHint: 'globs', description: 'Providers that may serve it' },
    expires: {
      type: 'string',
      valueHint: 'date',
      description: 'Last day (UTC), moment, or duration such as 90d',
    },
    label: {
      type: 'string',
      valueHint: 'name=value',
      repeatable: true,
      description: 'A label of your own; may be repeated',
    },
    ...AMOUNT_FLAGS,
    per: {
      type: 'string',
      valueHint: 'window',
      description: 'Window of these limits: second, minute, hour, day, week, month, total',
    },
    log: {
      type: 'string',
      valueHint: 'content',
      description: 'What the log keeps of its requests: full, metadata, none',
    },
    ops: { type: 'boolean', description: "Allow it to read /providers, /metrics and everybody's /usage" },
    ...PLACE_FLAGS,
    json: { type: 'boolean', description: 'Print the key as JSON' },
  },
  run({ args, rawArgs }) {
    const place = findPlace(args);
    const nowMs = Date.now();
    const made = newSecret();
    const { name, group } = args;
    const limits = limitsIn(args, args.per);
    const fields = {
      name,
      hash: made.hash,
      prefix: made.prefix,
      created: momentOf(nowMs),
      group,
      models: listFlag(args.models),
      endpoints: listFlag(args.endpoints),
      providers: listFlag(args.providers),
      limits,
      expires: args.expires === undefined ? undefined : untilFlag('expires', args.expires, nowMs),
      labels: labelsIn(rawArgs),
      log: args.log,
      ops: args.ops ? true : undefined,
    };
    changeKeys(place, ({ file, document }) => {
      if (keysIn(place.config).some((key) => key.name === name))
        throw new ExitError(1, `Cannot create the key ${name}: ${place.configPath} has one of this name`);
      if (file.keys.some((key) => key.name === name))
        throw new ExitError(
          1,
          `Cannot create the key ${name}: there is one already; llmproxy keys rotate ${name} replaces it`,
        );
      document.addKey(fields);
    });
    printSecret(name, made, place, args.json);
  },
});
