/** How long the request log is kept. */
import { z } from 'zod';
import { duration } from '../units.ts';
import { onDemand } from '../words.ts';

const apart = onDemand(() =>
  z
    .strictObject({
      content: duration
        .prefault('0s')
        .describe('Remove what people and models wrote from files older than this; 0 keeps it.'),
      head: duration.prefault('0s').describe('Delete files older than this; 0 keeps them all.'),
    })
    .refine(
      ({ content, head }) => head === 0 || content <= head,
      'content cannot be kept for longer than head: the file is deleted then',
    ),
);

/** A duration for whole files, or one for their content and one for the files. Milliseconds; 0 means forever. */
export const retention = z
  .union([duration, apart], { error: 'expected a duration, or {content, head}' })
  .transform((value): Retained => (typeof value === 'number' ? { content: 0, head: value } : value));

/** How long the content of files is kept, and how long the files are, milliseconds; 0 means forever. */
export interface Retained {
  readonly content: number;
  readonly head: number;
}
