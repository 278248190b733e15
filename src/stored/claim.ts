import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockStored, openStored, STORED_FILE } from './file.ts';
import { ResponseRows } from './rows.ts';

/** With these limits nothing is stored. */
const NOTHING_NEW = { maxBytes: Infinity, maxChain: 0, isShared: true };

/**
 * Claims the stored responses for workers that are about to start: responses of previous workers are no longer running.
 * @returns a function that releases them
 * @throws as SQLite and the file system do
 */
export function claimStored(directory: string): () => void {
  const lock = lockStored(directory);
  // The data that it changes was redacted when it was written.
  if (lock && existsSync(join(directory, STORED_FILE))) {
    const db = openStored(directory);
    new ResponseRows(db, NOTHING_NEW, (text) => text).failLeft(Date.now());
    db.close();
  }
  return () => lock?.close();
}
