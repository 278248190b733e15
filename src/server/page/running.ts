import type { Exchange } from '../../pipeline/exchange.ts';
import type { RunningRow } from '../../web/api.ts';

/** Requests that are shown while they run. */
export const MOST_RUNNING = 20;

/** Shorter ones would come and go faster than one can read, milliseconds. */
const SHOWN_FROM_MS = 1_000;

/** Those that have taken longest, the longest first. @param running in the order in which they came */
export function longest(running: Iterable<Exchange>): RunningRow[] {
  const rows: RunningRow[] = [];
  for (const exchange of running) {
    const row = runningRow(exchange);
    // All that come behind it came later.
    if (row.ms < SHOWN_FROM_MS || rows.length >= MOST_RUNNING) break;
    rows.push(row);
  }
  return rows;
}

function runningRow(exchange: Exchange): RunningRow {
  const { target } = exchange;
  const { key, model } = exchange.asked;
  return {
    id: exchange.id,
    model,
    target: target ? `${target.provider.name}/${target.model}` : null,
    key,
    endpoint: exchange.endpoint,
    ms: Math.round(exchange.elapsedMs),
    first_content_ms: exchange.firstContentMs,
    attempts: exchange.attempts.length,
  };
}
