/** A problem, as one worker reports it. */
export interface Said {
  /** From 1. */
  readonly worker: number;
  readonly reasons: readonly string[];
}

/** A problem of all workers is listed once; others are listed with the workers' numbers. */
export function mergeReasons(said: readonly Said[]): string[] {
  const each = said.flatMap(({ worker, reasons }) => reasons.map((reason) => ({ worker, reason })));
  return [...Map.groupBy(each, ({ reason }) => reason)].map(([reason, by]) => {
    if (by.length === said.length) return reason;
    return `worker ${by.map(({ worker }) => worker).join(', ')}: ${reason}`;
  });
}
