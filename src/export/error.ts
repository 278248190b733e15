/**
 * What ends an export early, with a message for the user. `usage`: what was asked makes no sense. `failed`: it
 * could not be done.
 */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  readonly kind: 'usage' | 'failed';

  constructor(kind: 'usage' | 'failed', message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}
