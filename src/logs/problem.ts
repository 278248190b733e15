/** An input that does not exist or cannot be read; the message is meant for the user. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
