/** The numbers that limits are made of. They are in this process, or in memory that several processes share. */

/** A moment that is moved, microseconds; 0 at first. */
export interface Moment {
  get(): number;
  /** @returns false where another process has moved it since it was `before` */
  move(before: number, after: number): boolean;
}

/** How much is taken and not yet given back, by all together. */
export interface Taken {
  total(): number;
  /** @param count whole, and negative to give back */
  add(count: number): void;
}

/** Numbers by their names: the same name is the same number. */
export interface Cells {
  moment(name: string): Moment;
  taken(name: string): Taken;
  /** What is added to this process's clock for the one that the moments are told by, milliseconds. */
  readonly offsetMs: number;
}
