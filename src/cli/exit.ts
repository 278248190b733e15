/** Ends a command with an exit code. `main` prints the message, when there is one, and is the only one to exit. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}
