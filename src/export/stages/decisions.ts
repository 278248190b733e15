/** The decisions about the rows of one range, as render needs them. */
import type { DecisionFrame, TaskDetails } from './decide.ts';
import { ExportError } from '../errors.ts';
import { numberAt, textAt } from './arrow/shape.ts';
import { KIND } from './columns.ts';

/** The place of a row by its record. */
export interface RecordPlace {
  /** The index of its input. */
  readonly file: number;
  /** The offset of its line, bytes. */
  readonly offset: number;
  /** Its index among the rows of that line. */
  readonly nth: number;
}

/** A row to write. */
export interface Decision extends RecordPlace {
  /** The index of its line within the part of the range. */
  readonly line: number;
  /** The index of the row within the range. */
  readonly row: number;
  /** Its index among the decisions about the same row. */
  readonly seq: number;
  /** The index of its split. */
  readonly split: number;
  readonly details: TaskDetails;
  /** The row with the worse answer of a pair. */
  readonly rejected: RecordPlace | undefined;
}

/** @returns the decisions in the order of the log; @throws ExportError when one is about another range */
export async function decisionsIn(frames: AsyncIterable<DecisionFrame>, range: number): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for await (const { rows, columns } of frames)
    for (let at = 0; at < rows; at++) {
      if (columns.kind[at] !== KIND.row) continue;
      if (columns.range[at] !== range)
        throw new ExportError(
          'failed',
          `Cannot render range ${range}: a decision is about range ${columns.range[at]}`,
        );
      const task = textAt(columns.task, at);
      decisions.push({
        row: columns.row[at]!,
        seq: columns.seq[at]!,
        file: columns.file[at]!,
        offset: numberAt(columns.offset, at),
        line: columns.line[at]!,
        nth: columns.nth[at]!,
        split: columns.split[at]!,
        details: task === '' ? NO_DETAILS : (JSON.parse(task) as TaskDetails),
        rejected:
          columns.rejected_file[at]! < 0
            ? undefined
            : {
                file: columns.rejected_file[at]!,
                offset: numberAt(columns.rejected_offset, at),
                nth: columns.rejected_nth[at]!,
              },
      });
    }
  return decisions.sort((a, b) => a.row - b.row || a.seq - b.seq);
}

const NO_DETAILS: TaskDetails = {};
