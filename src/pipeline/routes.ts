import type { Config, RouteConfig } from '../config/schema.ts';
import { globMatcher, isGlob, literalLength, starOf } from '../config/globs.ts';

/** What decides where a name leads: an entry of `models`, a provider that the name itself names, or what providers serve. */
export type Rule =
  | { readonly kind: 'name' | 'glob'; readonly entry: string }
  | { readonly kind: 'provider'; readonly provider: string }
  | { readonly kind: 'served' };

/** The entry of `models` that a name meets. */
export interface Match {
  /** As it stands in the configuration: a name, or a glob. */
  readonly rule: string;
  readonly route: RouteConfig;
  /** What stands for the `*` of a target: what the one star of the glob took. */
  readonly star: string | undefined;
}

interface Glob {
  readonly rule: string;
  readonly route: RouteConfig;
  readonly matches: (name: string) => boolean;
  readonly star: ((name: string) => string) | undefined;
}

/**
 * The names of the configuration's `models`. A name itself goes before globs, and of globs the one with the most
 * characters that are no wildcards; of equals the first in the file.
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

  /** Names that can be asked for as they stand. */
  get names(): string[] {
    return Object.keys(this.#routes).filter((name) => !isGlob(name));
  }

  /** The entry of this very name. */
  exact(name: string): Match | undefined {
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    return route === undefined ? undefined : { rule: name, route, star: undefined };
  }

  /**
   * The best glob.
   * @param provider the configured provider that the name's first half names: only globs that begin with it cover such a
   * name, so that `*` takes no request from a provider that a client asks for
   */
  glob(name: string, provider: string | undefined): Match | undefined {
    const glob = this.#globs.find(
      ({ rule, matches }) => (provider === undefined || rule.startsWith(`${provider}/`)) && matches(name),
    );
    return glob && { rule: glob.rule, route: glob.route, star: glob.star?.(name) };
  }
}
