/** The streams between stages. docs/stages.md describes each column. */

/** From extract to decide: a row for each candidate, and everything else that decisions need. */
export const ROW_COLUMNS = {
  kind: 'int8',
  root: 'int64',
  range: 'int32',
  row: 'int32',
  file: 'int32',
  offset: 'int64',
  line: 'int32',
  nth: 'int32',
  flags: 'int32',
  conversation: 'int64',
  prompt: 'int64',
  content: 'int64',
  opening: 'int64',
  session: 'int64',
  owner: 'int64',
  id: 'int64',
  written: 'int64',
  turns: 'binary',
  input_tokens: 'int32',
  output_tokens: 'int32',
  group: 'utf8',
  signature: 'binary',
  payload: 'utf8',
} as const;

/** From decide to render: one row for each row to write. */
export const DECISION_COLUMNS = {
  kind: 'int8',
  range: 'int32',
  row: 'int32',
  seq: 'int32',
  file: 'int32',
  offset: 'int64',
  line: 'int32',
  nth: 'int32',
  split: 'int32',
  task: 'utf8',
  rejected_file: 'int32',
  rejected_offset: 'int64',
  rejected_nth: 'int32',
  payload: 'utf8',
} as const;

/** From render to finish. */
export const COUNT_COLUMNS = { kind: 'int8', range: 'int32', payload: 'utf8' } as const;

/** The kinds of rows in a stream. */
export const KIND = {
  /** A candidate, or a row to write. */
  row: 0,
  /** Feedback, which every deciding process receives. */
  feedback: 1,
  /** A root whose rows all go to the common partition. */
  stray: 2,
  /** Facts about a range that every deciding process needs. */
  note: 3,
  /** Counts, which finish adds up. */
  counts: 4,
} as const;
