import { expect, test } from 'bun:test';
import { CpuMeter, OthersMeter } from '../../bench/cpu.ts';

const BURN_US = 300_000;
/** The tolerance between the clocks: a tick or two, and the messages themselves. */
const TOLERANCE_US = 60_000;

/** Uses this much CPU on request, and reports the exact amount. */
const BURN = `
let state = 1;
process.on('message', () => {
  const until = process.cpuUsage();
  while (process.cpuUsage(until).user + process.cpuUsage(until).system < ${BURN_US}) state = Math.imul(state, 7);
  const { user, system } = process.cpuUsage(until);
  process.send(user + system + (state === 0 ? 1 : 0));
});
process.send('ready');`;

test.skipIf(process.platform !== 'linux')(
  'CpuMeter sees the CPU of a process and its children, and OthersMeter leaves it out',
  async () => {
    let heard = Promise.withResolvers<unknown>();
    // The shell is the measured process, and the program is its child.
    await using child = Bun.spawn(['sh', '-c', '"$0" -e "$1"; true', process.execPath, BURN], {
      ipc: (message: unknown) => heard.resolve(message),
      stdout: 'ignore',
      stderr: 'inherit',
    });
    await heard.promise;
    heard = Promise.withResolvers();
    const meter = new CpuMeter(child.pid);
    const alone = new CpuMeter(child.pid, 'alone');
    const [withChild, without] = [new OthersMeter([meter]), new OthersMeter([])];
    const [beforeUs, aloneBeforeUs, beganMs] = [meter.readUs(), alone.readUs(), performance.now()];
    withChild.begin();
    without.begin();
    child.send('burn');
    const usedUs = Number(await heard.promise);
    const machineUs = (performance.now() - beganMs) * 1000 * navigator.hardwareConcurrency;
    const leftOutUs = (without.share() - withChild.share()) * machineUs;
    const seenUs = meter.readUs() - beforeUs;
    child.disconnect();
    expect(usedUs).toBeGreaterThanOrEqual(BURN_US);
    expect(Math.abs(seenUs - usedUs)).toBeLessThan(TOLERANCE_US);
    expect(Math.abs(leftOutUs - usedUs)).toBeLessThan(TOLERANCE_US);
    expect(alone.readUs() - aloneBeforeUs).toBeLessThan(TOLERANCE_US);
  },
);
