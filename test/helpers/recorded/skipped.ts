/** Recordings that are no measure of a decoder, each with what is wrong with it. */
export const SKIPPED: readonly { readonly file: string; readonly reason: string }[] = [];
