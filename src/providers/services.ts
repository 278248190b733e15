import type { Clock } from '../clock.ts';
import type { AuthScheme } from '../config/presets.ts';
import type { ProviderModel, ProviderSettings } from './base.ts';
import type { Dial, Fetch } from './transport.ts';

/** What a provider is made with: what the configuration says of it, and the world around it. */
export interface Services<Options = unknown> {
  /** Its name in the configuration. */
  readonly name: string;
  /** The models that it serves, as they are configured. */
  readonly models: readonly ProviderModel[];
  /** Its `options` in the configuration, as its own schema gave them. */
  readonly options: Options;
  /** Its keys; empty where it has none. */
  readonly keys: readonly string[];
  /** `base_url`, or the vendor's own address. */
  readonly baseUrl: string | undefined;
  /** Variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Requests on a pool of connections that this provider has for itself. */
  readonly fetch: Fetch;
  /** The text of a file; rejects when there is none. */
  readonly readText: (path: string) => Promise<string>;
  /** Tells the operator something, on stderr. */
  readonly log: (message: string) => void;
  /** Told of secrets that are read or fetched, before they are used: nothing may show them. */
  readonly hide: (...secrets: string[]) => void;
  /** What routing goes by. @internal */
  readonly settings: ProviderSettings;
  /** How connections are made. @internal */
  readonly transport: TransportSettings;
}

/** How a provider behind HTTP is reached. */
export interface TransportSettings {
  /** How a key travels. */
  readonly scheme: AuthScheme;
  /** Headers of every request: the preset's, then the operator's own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly probePath: string | undefined;
  /** Where its models are listed. */
  readonly listPath: string | undefined;
  readonly userAgent: string;
  /** Left out where connections go through an HTTP proxy, of which nothing can be said from here. */
  readonly dial: Dial | undefined;
  /** How long idle connections are kept, milliseconds. */
  readonly keepaliveMs: number;
  /** Closes idle connections. */
  readonly release: () => void;
}
