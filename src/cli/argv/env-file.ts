import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { fileReason } from '../../logs/names.ts';
import { ExitError } from '../exit.ts';

const FLAG = '--env-file';

/**
 * `--env-file FILE`, before or after any command: the only way in which a file adds to the environment. Variables that
 * are already set are kept, and if several files set a variable, the first one is used.
 * @returns the remaining arguments
 * @throws ExitError when a file cannot be read
 */
export function takeEnvFiles(given: readonly string[]): readonly string[] {
  const left: string[] = [];
  for (let at = 0; at < given.length; at += 1) {
    const arg = given[at]!;
    if (arg === '--') return [...left, ...given.slice(at)];
    if (arg.startsWith(`${FLAG}=`)) load(arg.slice(FLAG.length + 1));
    else if (arg === FLAG) load(given[(at += 1)]);
    else left.push(arg);
  }
  return left;
}

function load(path: string | undefined): void {
  if (path === undefined || path === '' || /^--[a-z]/.test(path))
    throw new ExitError(2, `Cannot use ${FLAG}: its value is missing, as in ${FLAG} FILE`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
}
