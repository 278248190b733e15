/** The numbers that limits consist of, in this process or in memory shared by several processes. */

/** A moment that can be postponed, microseconds; initially 0. */
export interface Moment {
  get(): number;
  /** @returns false if another process has changed it from `before` */
  move(before: number, after: number): boolean;
}

/** The amount that is taken and not returned yet, in all processes. */
export interface Taken {
  total(): number;
  /** @param count an integer, negative to return an amount */
  add(count: number): void;
}

/** Numbers by name: the same name is the same number. */
export interface Cells {
  moment(name: string): Moment;
  taken(name: string): Taken;
  /** The offset from this process's clock to the one that moments refer to, milliseconds. */
  readonly offsetMs: number;
}
