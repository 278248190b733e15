import type { Clock } from '../clock.ts';
import type { AuthScheme } from '../config/presets.ts';
import type { ProviderModel, ProviderSettings } from './base.ts';
import type { Dial, Fetch } from './transport.ts';

/** The dependencies of a provider: its configuration and its surroundings. */
export interface Services<Options = unknown> {
  /** Its name in the configuration. */
  readonly name: string;
  /** The models that it serves, as configured. */
  readonly models: readonly ProviderModel[];
  /** Its `options` in the configuration, as parsed by its schema. */
  readonly options: Options;
  /** Its keys; empty if it has none. */
  readonly keys: readonly string[];
  /** `base_url`, or the vendor's address. */
  readonly baseUrl: string | undefined;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** fetch on a connection pool of this provider. */
  readonly fetch: Fetch;
  /** Returns the text of a file; rejects when it does not exist. */
  readonly readText: (path: string) => Promise<string>;
  /** Writes a message for the operator to stderr. */
  readonly log: (message: string) => void;
  /** Called with secrets that are read or fetched, before they are used: they must not be shown anywhere. */
  readonly hide: (...secrets: string[]) => void;
  /** What routing needs to know. @internal */
  readonly settings: ProviderSettings;
  /** How connections are made. @internal */
  readonly transport: TransportSettings;
}

/** How to reach a provider over HTTP. */
export interface TransportSettings {
  /** How a key is sent. */
  readonly scheme: AuthScheme;
  /** Headers of every request: those of the preset, then the operator's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly probePath: string | undefined;
  /** The path of its list of models. */
  readonly listPath: string | undefined;
  readonly userAgent: string;
  /** Tests a connection; omitted if connections go through an HTTP proxy, where a test would prove nothing. */
  readonly dial: Dial | undefined;
  /** How long idle connections are kept open, milliseconds. */
  readonly keepaliveMs: number;
  /** Closes idle connections. */
  readonly release: () => void;
}
