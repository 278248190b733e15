/**
 * The processor time that this thread has used so far, milliseconds. Unlike the time of a clock, it does not depend on
 * what else runs on the machine.
 */
export function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
