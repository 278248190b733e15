/** Identifies a log file even after it was compressed, continued, or reduced to its heads. */
import { createHash } from 'node:crypto';
import { readBlocks } from '../blocks.ts';
import { DamagedInput } from '../unpacked.ts';
import { headRecord } from '../head-record.ts';
import { LineBeginnings } from '../line-beginnings.ts';

export interface Identity {
  /** A hash of its first record, 12 hexadecimal digits. */
  readonly identity: string;
  /** Whether its content was removed. */
  readonly expired: boolean;
}

/**
 * For a file without a record, the hash is that of its first bytes. @throws as `readBlocks()` does, except for damage
 */
export async function identityOf(path: string, signal: AbortSignal): Promise<Identity> {
  const found = await ofFirstRecord(path, signal).catch((error: unknown) => {
    if (error instanceof DamagedInput) return undefined;
    throw error;
  });
  return found ?? { identity: digits(await firstBytes(path)), expired: false };
}

async function ofFirstRecord(path: string, signal: AbortSignal): Promise<Identity | undefined> {
  const lines = new LineBeginnings();
  const known = (line: Buffer): Identity | undefined => {
    const head = headRecord(line);
    if (!head) return undefined;
    const identity = digits(`${String(head.id)} ${String(head.ts)}`);
    return { identity, expired: JSON.stringify(head) === line.toString() };
  };
  for await (const block of readBlocks({ name: path, path, bytes: undefined }, { signal })) {
    for (const line of lines.push(block)) {
      const found = known(line);
      if (found) return found;
    }
  }
  const last = lines.end();
  return last && known(last);
}

function digits(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex').slice(0, 12);
}

async function firstBytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await Bun.file(path).slice(0, 4_096).arrayBuffer());
}
