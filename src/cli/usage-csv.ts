import type { UsageReport } from '../usage/report.ts';
import { SUMS } from '../usage/report.ts';

/** The rows as CSV with a header, or the total if they are not grouped. @see RFC 4180 */
export function usageCsv({ by, rows, total }: UsageReport): string {
  const lines = by.length === 0 ? [{ group: {}, ...total }] : rows;
  const cells = lines.map((row) => [
    ...by.map((facet) => (row.group as Record<string, string | null>)[facet] ?? ''),
    ...SUMS.map((name) => String(row[name])),
  ]);
  return [[...by, ...SUMS], ...cells].map((line) => `${line.map(cell).join(',')}\n`).join('');
}

/** Spreadsheets interpret a text that begins with one of these characters as a formula. */
function cell(text: string): string {
  const safe = /^[=+@\t\r]|^-\D/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
