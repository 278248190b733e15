/** Text files that appear together with the rows, wherever the user wants them. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { ExportError } from '../errors.ts';
import { isManifest } from './manifest.ts';
import { writeFailure } from './byte-sink.ts';
import type { StagingFile } from './staging-file.ts';
import { exists, openStagingFile } from './staging-file.ts';

/** A text and its destination. */
export interface PlacedText {
  readonly path: string;
  readonly text: string;
}

/** Texts that are on disk already, but not visible yet. */
export type StagedTexts = Pick<StagingFile, 'keep' | 'discard'>;

/**
 * Writes texts to staging files. A manifest is replaced by its successor without `force`, any other file
 * only with it.
 * @param rows the files of rows, which no text may overwrite
 * @throws ExportError
 */
export function stageTexts(
  texts: readonly PlacedText[],
  { force, rows }: { readonly force: boolean; readonly rows: readonly string[] },
): StagedTexts {
  const staged: { path: string; file: StagingFile }[] = [];
  const discard = () => staged.forEach(({ file }) => file.discard());
  const taken = new Set(rows.map((path) => resolve(path)));
  const write = ({ path, text }: PlacedText) => {
    if (taken.has(resolve(path)))
      throw new ExportError('usage', `Cannot write ${path}: the rows go there already`);
    if (!force && fs.statSync(path, { throwIfNoEntry: false })?.isFile() && !isManifest(path))
      throw exists(path);
    const file = openStagingFile(path, true);
    staged.push({ path, file });
    fs.writeFileSync(file.fd, text);
  };
  try {
    for (const text of texts) named(text.path, () => write(text));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    async keep() {
      for (const { path, file } of staged) {
        await file.keep().catch((error: unknown) => {
          throw writeFailure(path, error);
        });
      }
    },
    discard,
  };
}

/** Runs an action so that its errors name this file, not the rows. */
function named(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw writeFailure(path, error);
  }
}
