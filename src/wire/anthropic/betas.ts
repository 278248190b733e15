/** The beta features in the header `anthropic-beta` that other hosts of Claude support. */

/** Names that identify the client or its sign-in rather than request a feature. */
const OF_CLIENTS = /^(?:claude-code|oauth|cli-internal)-/;

/** Features with different names at Anthropic and at other hosts. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'advanced-tool-use-2025-11-20': 'tool-search-tool-2025-10-19',
};

export interface Betas {
  readonly kept: readonly string[];
  /** What the host does not support, as "anthropic-beta: files-api-2025-04-14". */
  readonly dropped: readonly string[];
}

/**
 * The requested features that a host supports: it rejects all others with 400. @param taken the supported names in
 * lower case
 */
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
