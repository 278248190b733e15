import { countOf } from './json.ts';

/** How vendors word that the context is exceeded; the group is its size in tokens. */
const WORDINGS = [
  /maximum context length (?:is|of) (\d+)/i,
  /tokens? > (\d+) maximum/i,
  /exceeds the maximum number of tokens allowed \(?(\d+)/i,
  /context length is only (\d+)/i,
  /available context size \((\d+)/i,
  /(?:maximum prompt length is|model token limit:|exceeds the limit of|configured limit of) (\d+)/i,
  /range of input length should be \[1, (\d+)|less than max_seq_len \((\d+)/i,
  /exceed context limit: \d+ \+ \d+ > (\d+)/i,
  /context (?:window|length)[^.\d]{0,40}?(\d{3,})/i,
];

/** The size of a model's context from an error message, tokens; `undefined` when it does not contain it. */
export function contextWindowIn(message: string): number | undefined {
  for (const wording of WORDINGS) {
    const tokens = wording
      .exec(message)
      ?.slice(1)
      .find((group) => group !== undefined);
    if (tokens !== undefined) return countOf(Number(tokens));
  }
  return undefined;
}

/** Models whose context is missing in the price table, from their vendors' documentation. */
const KNOWN: readonly (readonly [RegExp, number])[] = [
  [/gemini-(?:2\.5|[3-9])/, 1_048_576],
  [/llama-?v?3[.p-]?[1-3]/i, 131_072],
  // Later ones, and so what `-latest` stands for, have more.
  [/mistral-(?:large|medium|small)-2(?:4\d\d|50\d|51[01])/, 131_072],
  [/gpt-oss-/, 131_072],
];

/** The context of a common model by its name, tokens; `undefined` for others. */
export function commonContextWindow(model: string): number | undefined {
  return KNOWN.find(([name]) => name.test(model))?.[1];
}
