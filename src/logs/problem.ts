/** An input that is missing or cannot be read; the message is for the user. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
