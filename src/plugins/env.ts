/** The environment variables, including those from `--env-file`. */
export const env: Readonly<Record<string, string | undefined>> = process.env;
