/** Suggests the name that was probably meant. */
const SYNONYMS: Readonly<Record<string, string | readonly string[]>> = {
  url: 'base_url',
  endpoint: 'base_url',
  key: 'api_key',
  apikey: 'api_key',
  token: 'api_key',
  headers: 'custom_headers',
  retries: 'max_retries',
  rpm: ['rate_limit', 'requests'],
  tpm: ['rate_limit', 'tokens'],
  requests_per_minute: ['rate_limit', 'requests'],
  tokens_per_minute: ['rate_limit', 'tokens'],
  per_key: 'each_key',
  per_user: 'each_user',
  enabled: 'disabled',
  api_key: 'key',
  kind: 'type',
  provider: 'type',
  dir: 'directory',
  log_dir: 'directory',
  key_sha256: 'hash',
  sha256: 'hash',
  key_hash: 'hash',
  content: 'log',
  usd: 'budget',
  max_budget: 'budget',
  max_parallel_requests: 'concurrent',
  concurrency: 'concurrent',
  budget_duration: 'per',
};

/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
 * @param most the largest distance of interest; anything above it is `Infinity`
 */
export function distance(a: string, b: string, most = Infinity): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
    // No later row can be below the minimum of the two rows before it.
    if (Math.min(...before, ...last) > most) return Infinity;
  }
  return last[b.length]! > most ? Infinity : last[b.length]!;
}

/** Substrings of a name that are searched for in other names. */
const PIECES = 24;

/**
 * Preselects, from many names, those that share most substrings with `name`: computing every distance would take too
 * long.
 */
export function shortlist(name: string, names: readonly string[], most = 200): readonly string[] {
  if (names.length <= most) return names;
  const wanted = name.toLowerCase().slice(0, 100);
  const step = Math.max(1, Math.ceil((wanted.length - 2) / PIECES));
  const pieces = Array.from({ length: PIECES }, (_, at) => wanted.slice(at * step, at * step + 3));
  const scored = names.map((candidate) => {
    const known = candidate.toLowerCase();
    return {
      candidate,
      shared: pieces.filter((piece) => piece.length === 3 && known.includes(piece)).length,
    };
  });
  return scored
    .sort((a, b) => b.shared - a.shared)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The names nearest to `name`, best first: within a third of its length, or with the same beginning. */
export function nearest(name: string, names: readonly string[], count: number): string[] {
  const wanted = name.toLowerCase().slice(0, 100);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return names
    .map((candidate) => {
      const known = candidate.toLowerCase().slice(0, 100);
      // The difference in length is a lower bound of the distance: most names need no closer look.
      const apart = Math.abs(known.length - wanted.length);
      return { candidate, far: apart > limit ? apart : distance(wanted, known, limit) };
    })
    .filter(
      ({ candidate, far }) =>
        far <= limit || (wanted.length >= 3 && candidate.toLowerCase().startsWith(wanted)),
    )
    .sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** The key that was probably meant by an unknown one. */
export function meantKey(key: string, known: readonly string[]): string | undefined {
  const synonyms = [SYNONYMS[key.toLowerCase()] ?? []].flat();
  return synonyms.find((synonym) => known.includes(synonym)) ?? nearest(key, known, 1)[0];
}

/** How many unknown names of one kind get a suggestion: each search looks at all known names. */
const MOST_SUGGESTIONS = 100;

/** The names that a file can refer to, and suggestions for names that are not among them. */
export class KnownNames {
  readonly #list: () => readonly string[];
  #names: readonly string[] | undefined;
  readonly #found = new Map<string, readonly string[]>();

  /** @param list returns the names; called when the first suggestion is needed */
  constructor(list: () => readonly string[]) {
    this.#list = list;
  }

  /** @param but a name that cannot be meant */
  near(name: string, but?: string): string | undefined {
    let found = this.#found.get(name);
    if (!found && this.#found.size >= MOST_SUGGESTIONS) return undefined;
    if (!found) {
      this.#names ??= this.#list();
      this.#found.set(name, (found = nearest(name, shortlist(name, this.#names), 2)));
    }
    return found.find((each) => each !== but);
  }

  /** The hint of a problem with an unknown name. */
  hint(name: string, but?: string): { readonly hint?: string } {
    const close = this.near(name, but);
    return close === undefined ? {} : { hint: `did you mean \`${close}\`?` };
  }
}
