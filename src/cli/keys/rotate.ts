import type { FileKey } from '../../config/schema/auth.ts';
import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import { changeKeys, keyIn } from './change.ts';
import { endText, momentOf, spanFlag } from './moments.ts';
import { findPlace, PLACE_FLAGS } from './place.ts';
import { newSecret } from './secret.ts';
import { printSecret, printMessage } from './messages.ts';

const meta: CommandInfo = {
  name: 'rotate',
  description: 'Replace a key with a new one, which is printed only once. Name, rules and history are kept',
  examples: ['llmproxy keys rotate alice', 'llmproxy keys rotate alice --grace 24h'],
};

export default defineCommand({
  meta,
  args: {
    name: { type: 'positional', required: true, description: 'Name of the key' },
    grace: {
      type: 'string',
      valueHint: 'span',
      description: 'How long the old key still works, such as 24h',
    },
    ...PLACE_FLAGS,
    json: { type: 'boolean', description: 'Print the key as JSON' },
  },
  run({ args }) {
    const place = findPlace(args);
    const nowMs = Date.now();
    const graceMs = args.grace === undefined ? 0 : spanFlag('grace', args.grace);
    const made = newSecret();
    changeKeys(place, ({ file, document }) => {
      const key = keyIn(file, args.name, place, 'rotate');
      const previous = graceMs > 0 ? stillWorking(key, nowMs, nowMs + graceMs) : [];
      document.changeKey(args.name, {
        hash: made.hash,
        prefix: made.prefix,
        rotated: momentOf(nowMs),
        previous: previous.length > 0 ? previous : undefined,
      });
    });
    if (!args.json)
      printMessage(
        graceMs > 0 ? `The old key works until ${endText(nowMs + graceMs)}.` : 'Older keys no longer work.',
      );
    printSecret(args.name, made, place, args.json);
  },
});

/** The replaced keys that still work, each until its own end: the key itself and those that it has replaced. */
function stillWorking({ hash: last, previous }: FileKey, nowMs: number, endMs: number): object[] {
  return [...previous.filter(({ until }) => until > nowMs), { hash: last, until: endMs }].map(
    ({ hash, until }) => ({ hash, until: momentOf(until) }),
  );
}
