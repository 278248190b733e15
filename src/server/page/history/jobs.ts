/** The requests to the thread that reads the log, and its answers: plain data. */
import type { PreviewAnswer, RequestDetail, RequestsAnswer, SeriesAnswer } from '../../../web/api.ts';

export interface RequestsJob {
  readonly kind: 'requests';
  readonly directory: string;
  readonly filter: string;
  /** The largest number of results. */
  readonly most: number;
  /** Only answers that ended at or before this time, milliseconds since 1970. */
  readonly before: number | null;
}

export interface DetailJob {
  readonly kind: 'detail';
  readonly directory: string;
  readonly id: string;
}

export interface RawJob {
  readonly kind: 'raw';
  readonly directory: string;
  readonly id: string;
  readonly part: RawPart;
}

export type RawPart = 'request' | 'response';

export interface SeriesJob {
  readonly kind: 'series';
  readonly directory: string;
  readonly filter: string;
  readonly by: GroupedBy;
  readonly spanMs: number;
  readonly stepMs: number;
}

export const GROUPED_BY = ['model', 'provider', 'key'] as const;

export type GroupedBy = (typeof GROUPED_BY)[number];

export interface PreviewJob {
  readonly kind: 'preview';
  readonly directory: string;
  readonly filter: string;
  readonly format: string;
  readonly successfulOnly: boolean;
  readonly redact: boolean;
}

export type Job = RequestsJob | DetailJob | RawJob | SeriesJob | PreviewJob;

/** By the kind of the job. */
export interface Answers {
  readonly requests: RequestsAnswer;
  /** `undefined` if there is no such request. */
  readonly detail: RequestDetail | undefined;
  /** JSON, `undefined` if it was not logged. */
  readonly raw: Uint8Array<ArrayBuffer> | undefined;
  readonly series: SeriesAnswer;
  readonly preview: PreviewAnswer;
}

export interface ToThread {
  readonly number: number;
  /** Shared memory: set to 1 when the answer is no longer needed. */
  readonly left: Int32Array;
  readonly job: Job;
}

export type FromThread =
  | { readonly number: number; readonly answer: Answers[keyof Answers] }
  | { readonly number: number; readonly failed: string };
