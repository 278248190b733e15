/** A piece of a text that is spelled in another way. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** What it stands for: one character, or nothing. */
  readonly plain: string;
}
