/** Ends a command with an exit code. `main` prints the message, if any, and is the only place that exits. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}
