/** The result of waiting: any truthy value. */
type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

export interface UntilOptions<T> {
  /** What the check must return; by default any truthy value. */
  readonly is?: NoInfer<T>;
  /** The smallest number that the check must return. */
  readonly atLeast?: number;
  /** Pause between two checks. Default: 5 ms. */
  readonly everyMs?: number;
  /**
   * How long to wait. Default: 40 s, many times what it takes on a busy machine, and below the time limit of a test, so
   * that the reason is reported.
   */
  readonly withinMs?: number;
}

/**
 * Waits for something that another process or a socket causes.
 * @param what what is waited for, to complete the sentence "Waited for …"
 * @param check looks for it; a check that takes too long counts as failed. With `is` or `atLeast` it returns what it
 *   saw, which a failure then reports
 * @returns what `check` returned when it had happened
 * @throws Error that says what did not happen, after how long, and what the last check saw
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  { is, atLeast, everyMs = 5, withinMs = 40_000 }: UntilOptions<T> = {},
): Promise<Truthy<T>> {
  const happened = (seen: T): boolean => {
    if (is !== undefined) return seen === is;
    return atLeast === undefined ? Boolean(seen) : Number(seen) >= atLeast;
  };
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
      if (seen !== undefined && happened(seen)) return seen as Truthy<T>;
      await Promise.race([Bun.sleep(everyMs), late.promise]);
    } while (performance.now() - beganMs < withinMs);
  } finally {
    clearTimeout(timer);
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  throw new Error(`Waited for ${what} for ${seconds} s, ${last}`);
}
