/**
 * A process that applies retention to a log directory once and exits: bun retention-process.ts <directory> <content ms>
 * It prints "begun" on stdout first.
 */
import { systemClock } from '../../src/clock.ts';
import { Retention } from '../../src/logs/retention.ts';

const [directory = '', content = '0'] = process.argv.slice(2);
const retention = new Retention(
  { directory, retention: { content: Number(content), head: 0 }, max_total: 0, compress: 'none' },
  { clock: systemClock, worker: 0, onProblem: (message) => process.stderr.write(`${message}\n`) },
  -Infinity,
);
process.stdout.write('begun\n');
await retention.sweep();
await retention.close();
