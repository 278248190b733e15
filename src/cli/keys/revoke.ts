import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import { changeKeys, keyIn } from './change.ts';
import { findPlace, PLACE_FLAGS } from './place.ts';
import { printMessage, printTakenOver } from './messages.ts';

const meta: CommandInfo = {
  name: 'revoke',
  description: 'Delete a key from the keys file permanently. Its requests stay in the log',
  examples: ['llmproxy keys revoke alice'],
};

export default defineCommand({
  meta,
  args: { name: { type: 'positional', required: true, description: 'Name of the key' }, ...PLACE_FLAGS },
  run({ args }) {
    const place = findPlace(args);
    changeKeys(place, ({ file, document }) => {
      keyIn(file, args.name, place, 'revoke');
      document.removeKey(args.name);
    });
    printMessage(`The key ${args.name} is revoked.`);
    printTakenOver(place);
  },
});
