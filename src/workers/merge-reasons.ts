/** A problem, as one worker reports it. */
export interface WorkerReasons {
  /** From 1. */
  readonly worker: number;
  readonly reasons: readonly string[];
}

/** A problem of all workers is listed once; others are listed with the workers' numbers. */
export function mergeReasons(given: readonly WorkerReasons[]): string[] {
  const each = given.flatMap(({ worker, reasons }) => reasons.map((reason) => ({ worker, reason })));
  return [...Map.groupBy(each, ({ reason }) => reason)].map(([reason, by]) => {
    if (by.length === given.length) return reason;
    return `worker ${by.map(({ worker }) => worker).join(', ')}: ${reason}`;
  });
}
