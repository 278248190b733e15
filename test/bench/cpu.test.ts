import { expect, test } from 'bun:test';
import { CpuMeter } from '../../bench/cpu.ts';

const BURN = `
let state = 1;
process.on('message', () => {
  const until = process.cpuUsage();
  while (process.cpuUsage(until).user + process.cpuUsage(until).system < 300_000) state = Math.imul(state, 7);
  const { user, system } = process.cpuUsage(until);
  process.send(user + system + (state === 0 ? 1 : 0));
});
process.send('ready');`;

test.skipIf(process.platform !== 'linux')(
  'CpuMeter sees the CPU that a process and its children use',
  async () => {
    let heard = Promise.withResolvers<unknown>();
    // The shell is the process that is asked about, the program its child.
    await using child = Bun.spawn(['sh', '-c', '"$0" -e "$1"; true', process.execPath, BURN], {
      ipc: (message: unknown) => heard.resolve(message),
      stdout: 'ignore',
      stderr: 'inherit',
    });
    await heard.promise;
    heard = Promise.withResolvers();
    const meter = new CpuMeter(child.pid);
    const beforeUs = meter.readUs();
    child.send('burn');
    const usedUs = Number(await heard.promise);
    const seenUs = meter.readUs() - beforeUs;
    expect(usedUs).toBeGreaterThanOrEqual(300_000);
    // What the two clocks may differ by: a tick or two, and the message itself.
    expect(Math.abs(seenUs - usedUs)).toBeLessThan(50_000);
    child.disconnect();
  },
);
