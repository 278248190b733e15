import type { CommandInfo } from '../argv/command.ts';
import { defineCommand } from 'citty';
import { changeKeys, keyIn } from './change.ts';
import { findPlace, PLACE_FLAGS } from './place.ts';
import { printMessage, printTakenOver } from './messages.ts';

const args = {
  name: { type: 'positional', required: true, description: 'Name of the key' },
  ...PLACE_FLAGS,
} as const;

function setDisabled(flags: { name: string; config?: string; file?: string }, disabled: boolean): void {
  const place = findPlace(flags);
  const { name } = flags;
  changeKeys(place, ({ file, document }) => {
    keyIn(file, name, place, disabled ? 'disable' : 'enable');
    document.changeKey(name, { disabled: disabled ? true : undefined });
  });
  printMessage(
    `The key ${name} is ${disabled ? 'disabled: requests with it are answered with 403' : 'enabled again'}.`,
  );
  printTakenOver(place);
}

const disabling: CommandInfo = {
  name: 'disable',
  description: 'Refuse a key for now',
  examples: ['llmproxy keys disable alice'],
};

export const disable = defineCommand({
  meta: disabling,
  args,
  run: ({ args: given }) => setDisabled(given, true),
});

const enabling: CommandInfo = {
  name: 'enable',
  description: 'Accept a disabled key again',
  examples: ['llmproxy keys enable alice'],
};

export const enable = defineCommand({
  meta: enabling,
  args,
  run: ({ args: given }) => setDisabled(given, false),
});
