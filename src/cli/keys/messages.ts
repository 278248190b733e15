/** Messages of the commands. They go to stderr: stdout is for the key, or for data. */
import { relative } from 'node:path';
import { print, printStderr } from '../output.ts';
import type { NewSecret } from './secret.ts';
import type { Place } from './place.ts';

export function printMessage(text: string): void {
  printStderr(`${text}\n`);
}

/** What a running proxy does with the changed file, or what must be done for it to be read. */
export function printTakenOver({ path, named, configPath }: Place): void {
  if (named) return printMessage('A running llmproxy picks it up within a second or two.');
  const where = configPath === undefined ? 'The configuration' : configPath;
  printMessage(`${where} does not name this file yet: write \`keys_file: ${path}\` below \`auth:\` there.`);
}

/** Prints a new key, this once: on stdout, so that scripts can capture it. */
export function printSecret(name: string, made: NewSecret, place: Place, json: boolean | undefined): void {
  const { secret, prefix } = made;
  if (json) return print(`${JSON.stringify({ name, key: secret, prefix, file: place.path }, null, 2)}\n`);
  printMessage(
    `The key ${name}, in ${shownPath(place.path)}. It is shown only once: the file stores only its hash.`,
  );
  printTakenOver(place);
  print(`${secret}\n`);
}

/** A path in its shortest form. */
function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}
