/** Reads what a filter needs from the first bytes of a log line, without parsing the rest. */
import { RECORD_VERSION } from './record.ts';

/** The part of the head that filters look at; see record.ts. */
export interface LineHead {
  readonly ts: string;
  readonly outcome: string;
  readonly status: number;
  readonly endpoint: string;
  readonly model: string;
  readonly finish: string | null;
}

/** How every line of ours begins. Within a JSON string its quotes would be escaped. */
export const LINE_START = `{"v":${RECORD_VERSION},"ts":"`;

/** Long enough for the head up to `finish`, unless names are very long. */
const SCAN_BYTES = 640;
const text = '"[^"\\\\\\x00-\\x1f]*"';
const plain = '([^"\\\\\\x00-\\x1f\\x7f-\\xff]*)';
const HEAD = new RegExp(
  `^\\{"v":${RECORD_VERSION},"ts":"${plain}","id":${text},"outcome":"${plain}","status":(\\d{1,5}),` +
    `"endpoint":"${plain}","stream":(?:true|false),"model":"${plain}","provider":(?:null|${text}),` +
    `"upstream_model":(?:null|${text}),"finish":(?:null|"${plain}"),`,
);

/**
 * The head of a line in the exact form that the log writer gives it, or `undefined`: then the line must be
 * parsed. Names with escapes or letters beyond ASCII count as unknown, so what is returned is always exact.
 */
export function scanHead(line: Buffer): LineHead | undefined {
  const match = HEAD.exec(line.toString('latin1', 0, SCAN_BYTES));
  if (!match) return undefined;
  const [, ts, outcome, status, endpoint, model, finish] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  return { ts, outcome, status: Number(status), endpoint, model, finish: finish ?? null };
}
