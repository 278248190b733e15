import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { RunningRow } from '../../web/api.ts';

/** The number of running requests that are shown. */
export const MOST_RUNNING = 20;

/** Shorter requests would disappear faster than one can read, milliseconds. */
const SHOWN_FROM_MS = 1_000;

/** The longest-running requests, longest first. @param running in order of arrival */
export function longest(running: Iterable<Exchange>): RunningRow[] {
  const rows: RunningRow[] = [];
  for (const exchange of running) {
    const row = runningRow(exchange);
    // All that follow arrived later.
    if (row.ms < SHOWN_FROM_MS || rows.length >= MOST_RUNNING) break;
    rows.push(row);
  }
  return rows;
}

function runningRow(exchange: Exchange): RunningRow {
  const { target } = exchange;
  const { key, model } = exchange.requested;
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
