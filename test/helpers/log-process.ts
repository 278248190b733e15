/**
 * A process that writes records: bun log-process.ts <directory> <prefix> <count> <rotate_size> [hold] [line]
 * It closes the log and exits after `count` records, or with `hold` when its stdin ends. `line` is the length of lines
 * in bytes. With a count of 0 it writes until it is killed, and prints "written N" on stdout after each flush.
 */
import { systemClock } from '../../src/clock.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { logSettings } from './log-directory.ts';
import { encodeRecord, logRecord, plainRedaction } from './log-record.ts';

const [directory = '', prefix = '', count = '0', rotateSize = '0', hold, line] = process.argv.slice(2);
const writer = new LogWriter(logSettings(directory, { rotate_size: Number(rotateSize), flush_interval: 1 }), {
  clock: systemClock,
  redaction: () => plainRedaction,
  makeLine: async (record) => Buffer.from(encodeRecord(record)),
  onProblem: (message) => process.stderr.write(`${message}\n`),
});

function padded(id: string): LogRecord {
  if (line === undefined) return logRecord({ id });
  const bare = encodeRecord(logRecord({ id, request: '""' })).length;
  return logRecord({ id, request: `"${'x'.repeat(Number(line) - bare)}"` });
}

async function writeBurst(from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) writer.write(padded(`${prefix}-${number}`));
  await Bun.sleep(0);
}

const total = Number(count) || Infinity;
for (let number = 0; number < total; number += 10) {
  await writeBurst(number, number + 10);
  if (total === Infinity) {
    await writer.flush();
    process.stdout.write(`written ${number + 10}\n`);
  }
}
if (hold !== undefined) await Bun.stdin.text();
await writer.close();
