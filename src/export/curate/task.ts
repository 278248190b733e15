import type { RenderTask } from '../convert/render-rows.ts';

/** A row to render from examples: `row` and `rejected` are rows of the table. */
export interface Task extends Pick<RenderTask, 'untrained' | 'correction' | 'unlike' | 'label' | 'score'> {
  readonly row: number;
  readonly rejected?: number;
}
