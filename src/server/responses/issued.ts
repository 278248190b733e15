import type { Owner } from '../../stored/entries.ts';

/** The owner of a response, and the provider that has stored it. */
export interface IssuedResponse {
  readonly owner: Owner;
  readonly provider: string;
}

/** The number of remembered responses. */
const MOST = 10_000;

const ID = /"id"\s*:\s*"(resp_[^"\\]{1,200})"/;
const STORED = /"store"\s*:\s*true/;

/** Which providers have stored which responses, as far as these have passed through this process. */
export class IssuedResponses {
  readonly #known = new Map<string, IssuedResponse>();

  get(id: string): IssuedResponse | undefined {
    return this.#known.get(id);
  }

  /** @param response as received from its provider, JSON; remembered if it is marked as stored */
  note(response: string, issued: IssuedResponse): void {
    const [, id] = ID.exec(response) ?? [];
    if (id === undefined || !STORED.test(response)) return;
    this.#known.delete(id);
    this.#known.set(id, issued);
    if (this.#known.size <= MOST) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
