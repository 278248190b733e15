/** What clients of Anthropic ask for by the header `anthropic-beta`, as far as other hosts of Claude take it. */

/** Names of the client itself and how it signed in: they ask for nothing. */
const OF_CLIENTS = /^(?:claude-code|oauth|cli-internal)-/;

/** What Anthropic's own API and other hosts call otherwise. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'advanced-tool-use-2025-11-20': 'tool-search-tool-2025-10-19',
};

export interface Betas {
  readonly kept: readonly string[];
  /** What the host does not take, as "anthropic-beta: files-api-2025-04-14". */
  readonly dropped: readonly string[];
}

/** Those that a header asks for and a host takes: it answers 400 to all others. @param taken by their names, small */
export function betasFor(header: string | undefined, taken: readonly string[]): Betas {
  const kept = new Set<string>();
  const dropped: string[] = [];
  for (const part of (header ?? '').split(',')) {
    const name = part.trim();
    const other = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name]! : name;
    if (taken.includes(name.toLowerCase())) kept.add(name);
    else if (taken.includes(other)) kept.add(other);
    else if (name !== '' && !OF_CLIENTS.test(name))
      dropped.push(`anthropic-beta: ${name.replace(/[^\w.-]/g, '')}`);
  }
  return { kept: [...kept], dropped };
}
