import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';

/** Writes a file completely or not at all. @throws ExitError when it cannot */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new ExitError(1, `Cannot write ${path}: ${fileReason(cause)}`);
  }
}
