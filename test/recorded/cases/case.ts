/** One small exchange with the value that is right: what a client asked, what the provider said, and what follows. */
import type { Client } from '../answers/compare.ts';
import type { Said } from '../answers/said.ts';
import type { VendorType } from '../lab/vendors.ts';
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';

/** What came of it. */
export interface Came {
  readonly status: number;
  /** What the client reads, by the plain reader of its protocol. */
  readonly said: Said;
  /** The client's body or, of a stream, its events. */
  readonly got: readonly Json[];
  /** What the provider was asked; empty where it was not. */
  readonly asked: Json;
  /** What the provider's reference says against it. */
  readonly wrong: readonly string[];
  /** What the client was told to be left out. */
  readonly told: string;
}

export interface Case {
  readonly name: string;
  readonly client: Client;
  readonly vendor: VendorType;
  readonly api: Api;
  readonly model?: string;
  readonly request: Json;
  /** A whole answer, or the events of a stream. */
  readonly answer: Json | readonly Json[];
  /** Throws where it is not as it should be. */
  readonly right: (came: Came) => void;
  /** Why it fails today. */
  readonly gap?: string;
}
