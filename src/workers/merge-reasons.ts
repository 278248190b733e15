/** What is wrong, as one worker says it. */
export interface Said {
  /** From 1. */
  readonly worker: number;
  readonly reasons: readonly string[];
}

/** What all say is said once; what some say, by whom. */
export function mergeReasons(said: readonly Said[]): string[] {
  const each = said.flatMap(({ worker, reasons }) => reasons.map((reason) => ({ worker, reason })));
  return [...Map.groupBy(each, ({ reason }) => reason)].map(([reason, by]) => {
    if (by.length === said.length) return reason;
    return `worker ${by.map(({ worker }) => worker).join(', ')}: ${reason}`;
  });
}
