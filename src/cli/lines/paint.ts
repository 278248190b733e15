/** Colours for lines. */
type Colour = (text: string) => string;

export interface Paint {
  readonly dim: Colour;
  readonly bold: Colour;
  readonly green: Colour;
  readonly yellow: Colour;
  readonly red: Colour;
  readonly cyan: Colour;
}

/** @param wanted whether to use colours: see `useColor` */
export function paintOf(wanted: boolean): Paint {
  const colour =
    (on: number, off: number): Colour =>
    (text) =>
      wanted && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    dim: colour(2, 22),
    bold: colour(1, 22),
    green: colour(32, 39),
    yellow: colour(33, 39),
    red: colour(31, 39),
    cyan: colour(36, 39),
  };
}
