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

/** Long enough for most heads up to `finish`, and for those with long names. */
const SCAN_BYTES = [384, 4_096];
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
 * @param from where the line begins in the block
 * @param to behind its last byte
 */
export function scanHead(block: Buffer, from = 0, to = block.length): LineHead | undefined {
  for (const bytes of SCAN_BYTES) {
    const match = HEAD.exec(block.toString('latin1', from, Math.min(to, from + bytes)));
    if (match) return headOf(match);
    if (to - from <= bytes) return undefined;
  }
  return undefined;
}

function headOf(match: RegExpExecArray): LineHead {
  const [, ts, outcome, status, endpoint, model, finish] = match;
  return {
    ts: ts!,
    endpoint: endpoint!,
    outcome: outcome!,
    status: Number(status),
    model: model!,
    finish: finish ?? null,
  };
}

const START = Buffer.from(LINE_START);

/** Looks for records that begin within a line, behind a torn one: then the head of the line does not decide on it. */
export class TornLines {
  readonly #block: Buffer;
  /** Where the next record begins behind the place that was last asked about; the end when there is none. */
  #next = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  /** Whether a record begins within the line; lines are asked about in their order. */
  has(from: number, to: number): boolean {
    if (this.#next <= from) {
      const found = this.#block.indexOf(START, from + 1);
      this.#next = found < 0 ? this.#block.length : found;
    }
    return this.#next < to;
  }
}
