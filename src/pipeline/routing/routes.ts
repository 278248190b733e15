import type { Config, RouteConfig } from '../../config/schema.ts';
import { globMatcher, isGlob, literalLength, starOf } from '../../config/globs.ts';

/** What resolved a name: an entry of `models`, the provider that it contains, or what providers serve. */
export type Rule =
  | { readonly kind: 'name' | 'glob'; readonly entry: string }
  | { readonly kind: 'provider'; readonly provider: string }
  | { readonly kind: 'served' };

/** The matching entry of `models`. */
export interface Match {
  /** As written in the configuration: a name, or a glob. */
  readonly rule: string;
  readonly route: RouteConfig;
  /** What replaces the `*` of a target: the part that the single star of the glob matched. */
  readonly star: string | undefined;
}

interface Glob {
  readonly rule: string;
  readonly route: RouteConfig;
  readonly matches: (name: string) => boolean;
  readonly star: ((name: string) => string) | undefined;
}

/**
 * The names in the configuration's `models`. An exact name takes precedence over globs, and among globs the one with
 * the most literal characters; the first in the file among equals.
 */
export class Routes {
  readonly #routes: Config['models'];
  readonly #globs: readonly Glob[];

  constructor(routes: Config['models']) {
    this.#routes = routes;
    this.#globs = Object.entries(routes)
      .filter(([rule]) => isGlob(rule))
      .map(([rule, route]) => ({ rule, route, matches: globMatcher(rule), star: starOf(rule) }))
      .sort((a, b) => literalLength(b.rule) - literalLength(a.rule));
  }

  /** Names that can be requested literally. */
  get names(): string[] {
    return Object.keys(this.#routes).filter((name) => !isGlob(name));
  }

  /** The entry with this exact name. */
  exact(name: string): Match | undefined {
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    return route === undefined ? undefined : { rule: name, route, star: undefined };
  }

  /**
   * The best matching glob.
   * @param provider the configured provider that the name contains: only globs that begin with it match such a name, so
   * that `*` takes no request from a provider that a client requests explicitly
   */
  glob(name: string, provider: string | undefined): Match | undefined {
    const glob = this.#globs.find(
      ({ rule, matches }) => (provider === undefined || rule.startsWith(`${provider}/`)) && matches(name),
    );
    return glob && { rule: glob.rule, route: glob.route, star: glob.star?.(name) };
  }
}
