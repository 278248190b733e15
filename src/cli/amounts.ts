/** Formats amounts in few characters. */

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** Exact up to five digits; "1.23M" above. */
export function amount(value: number): string {
  if (value < 100_000) return Math.round(value).toLocaleString('en-US');
  const power = Math.min(Math.floor(Math.log10(value) / 3), UNITS.length - 1);
  const scaled = value / 1000 ** power;
  // 999,999 would be 1000k.
  const digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  if (Number(scaled.toFixed(digits)) >= 1000 && power < UNITS.length - 1)
    return `${(scaled / 1000).toFixed(2)}${UNITS[power + 1]}`;
  return `${scaled.toFixed(digits)}${UNITS[power]}`;
}

/** USD: cents for amounts above a dollar, two significant digits below. */
export function dollars(usd: number): string {
  const sign = usd < 0 ? '-' : '';
  const size = Math.abs(usd);
  if (size === 0) return '$0';
  if (size >= 0.995) {
    const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    return `${sign}$${size.toLocaleString('en-US', size >= 99_999.5 ? { maximumFractionDigits: 0 } : cents)}`;
  }
  const digits = Math.min(10, Math.max(2, 1 - Math.floor(Math.log10(size))));
  return `${sign}$${size.toFixed(digits)}`;
}
