/** How vendors name the size of the context that was too small; the first group is the number of tokens. */
const WORDINGS = [
  /maximum context length (?:is|of) (\d+)/i,
  /tokens? > (\d+) maximum/i,
  /exceeds the maximum number of tokens allowed \(?(\d+)/i,
  /context length is only (\d+)/i,
  /available context size \((\d+)/i,
  /context (?:window|length)[^.\d]{0,40}?(\d{3,})/i,
];

/** The size of a model's context by the words of its error, tokens; `undefined` when they do not say. */
export function contextWindowIn(message: string): number | undefined {
  for (const wording of WORDINGS) {
    const tokens = wording.exec(message)?.[1];
    if (tokens !== undefined) return Number(tokens);
  }
  return undefined;
}
