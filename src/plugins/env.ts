/** Variables of the environment, with those of `--env-file`. */
export const env: Readonly<Record<string, string | undefined>> = process.env;
