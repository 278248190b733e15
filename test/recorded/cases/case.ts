/** A small exchange with the correct result: the client's request, the provider's answer, and what must follow. */
import type { Client } from '../answers/compare.ts';
import type { Said } from '../answers/said.ts';
import type { VendorType } from '../lab/vendors.ts';
import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';

/** The result of an exchange. */
export interface Came {
  readonly status: number;
  /** What the client reads, by the plain reader of its protocol. */
  readonly said: Said;
  /** The body that the client received or, for a stream, its events. */
  readonly got: readonly Json[];
  /** The request that the provider received; empty if there was none. */
  readonly asked: Json;
  /** The problems of that request according to the provider's reference. */
  readonly wrong: readonly string[];
  /** What the client was told was left out. */
  readonly told: string;
}

export interface Case {
  readonly name: string;
  readonly client: Client;
  readonly vendor: VendorType;
  readonly api: Api;
  readonly model?: string;
  readonly request: Json;
  /** An unstreamed answer, or the events of a stream. */
  readonly answer: Json | readonly Json[];
  /** Throws if the result is not correct. */
  readonly right: (came: Came) => void;
  /** Why it fails today. */
  readonly gap?: string;
}
