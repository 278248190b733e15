/** What waiting can end in: anything but what JavaScript takes for false. */
type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

export interface UntilOptions {
  /** Pause between two looks. Default: 5 ms. */
  readonly everyMs?: number;
  /** How long to wait. Default: 15 s, which ends before the limit of a test, so that the reason is told. */
  readonly withinMs?: number;
}

/**
 * Waits for something that another process or a socket brings about.
 * @param what what is waited for, to complete the sentence "Waited for …"
 * @param check a look at it; a look that takes too long counts as none
 * @returns the first truthy value that `check` gave
 * @throws Error that says what did not come, after how long, and what the last look saw
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  { everyMs = 5, withinMs = 15_000 }: UntilOptions = {},
): Promise<Truthy<T>> {
  const beganMs = performance.now();
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, withinMs);
  let last = 'no look has ended';
  const look = async (): Promise<T | undefined> => {
    const seen = await check();
    last = `last seen: ${Bun.inspect(seen, { depth: 4 }).slice(0, 1_000)}`;
    return seen;
  };
  try {
    do {
      const seen = await Promise.race([look(), late.promise]);
      if (seen) return seen as Truthy<T>;
      await Promise.race([Bun.sleep(everyMs), late.promise]);
    } while (performance.now() - beganMs < withinMs);
  } finally {
    clearTimeout(timer);
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  throw new Error(`Waited for ${what} for ${seconds} s, ${last}`);
}
