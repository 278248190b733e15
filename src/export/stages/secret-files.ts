/** Files that an export reads besides the logs: they may be secret, so the plan refers to them by name. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { OptionName } from '../../config/export/options.ts';
import type { GivenOptions } from '../options/flags.ts';
import { fileReason } from '../../logs/names.ts';
import { ExportError } from '../errors.ts';

export interface SecretFile {
  readonly option: 'system' | 'redact-salt-file';
  readonly path: string;
  /** The length of a hash that detects a changed file, but does not reveal its content. */
  readonly check: string;
}

const CHECK_DIGITS = 4;

/** The files that options name, and the options with absolute paths. */
export function filesOf(values: GivenOptions['values']): {
  readonly values: GivenOptions['values'];
  readonly files: readonly SecretFile[];
} {
  const files: SecretFile[] = [];
  const absolute = { ...values };
  const name = (option: SecretFile['option']) => {
    const path = resolve(String(values[option]));
    absolute[option] = path;
    files.push({ option, path, check: digestOf(path, option) });
  };
  if (values['redact-salt-file'] !== undefined) name('redact-salt-file');
  if (values.system !== undefined && !['keep', 'drop'].includes(String(values.system))) name('system');
  return { values: absolute, files };
}

/** @throws ExportError when the file is missing, or has changed since the plan was made */
export function checkOf({ option, path, check }: SecretFile): void {
  if (digestOf(path, option) !== check)
    throw new ExportError(
      'failed',
      `Cannot use --${option} ${path}: the file here is not the one that the plan was made with`,
    );
}

function digestOf(path: string, option: OptionName): string {
  try {
    return new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex').slice(0, CHECK_DIGITS);
  } catch (cause) {
    throw new ExportError('failed', `Cannot use --${option} ${path}: ${fileReason(cause)}`, { cause });
  }
}
