import { ExportError } from '../errors.ts';

/** A test for HTTP status codes: "200", "2xx", "400-499". @throws ExportError of kind `usage` for another text */
export function statusTest(wanted: readonly string[]): (status: number) => boolean {
  const ranges = wanted.map(rangeOf);
  return (status) => ranges.some(([from, to]) => status >= from && status <= to);
}

function rangeOf(text: string): readonly [from: number, to: number] {
  const [, one, hundreds, from, to] = /^(?:(\d{3})|(\d)xx|(\d{3})-(\d{3}))$/i.exec(text.trim()) ?? [];
  if (one !== undefined) return [Number(one), Number(one)];
  if (hundreds !== undefined) return [Number(hundreds) * 100, Number(hundreds) * 100 + 99];
  if (from !== undefined) return [Number(from), Number(to)];
  throw new ExportError('usage', `Cannot use --status ${text}: expected 200, 2xx or 400-499`);
}
