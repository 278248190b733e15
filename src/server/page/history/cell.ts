/** The combined usage of requests in the same period, or with the same model, provider or key. */
import type { Sums } from '../../../web/api.ts';
import type { JsonObject } from '../../../wire/json.ts';
import { countOf, numberOf, objectOf } from '../../../wire/json.ts';
import { Histogram } from './histogram.ts';

export class Cell {
  #requests = 0;
  #errors = 0;
  #input = 0;
  #output = 0;
  #cost = 0;
  #unpriced = 0;
  readonly #latency = new Histogram();
  readonly #first = new Histogram();

  add(head: JsonObject): void {
    const failed = objectOf(head.failed);
    const input = countOf(head.input_tokens);
    const cost = numberOf(head.cost);
    this.#requests += 1;
    if (head.outcome !== 'success' && head.outcome !== 'client_abort') this.#errors += 1;
    this.#input += (input ?? 0) + (countOf(failed.input_tokens) ?? 0);
    this.#output += (countOf(head.output_tokens) ?? 0) + (countOf(failed.output_tokens) ?? 0);
    this.#cost += (cost ?? 0) + (numberOf(failed.cost) ?? 0);
    if (cost === undefined && input !== undefined) this.#unpriced += 1;
    if (head.outcome !== 'success') return;
    const latency = numberOf(head.latency_ms);
    const first = numberOf(head.first_content_ms);
    if (latency !== undefined) this.#latency.add(latency);
    if (first !== undefined) this.#first.add(first);
  }

  merge(other: Cell): void {
    this.#requests += other.#requests;
    this.#errors += other.#errors;
    this.#input += other.#input;
    this.#output += other.#output;
    this.#cost += other.#cost;
    this.#unpriced += other.#unpriced;
    this.#latency.merge(other.#latency);
    this.#first.merge(other.#first);
  }

  get sums(): Sums {
    return {
      requests: this.#requests,
      errors: this.#errors,
      input_tokens: this.#input,
      output_tokens: this.#output,
      cost: this.#cost,
      unpriced: this.#unpriced,
      latency_p50: this.#latency.quantile(0.5),
      latency_p95: this.#latency.quantile(0.95),
      first_p50: this.#first.quantile(0.5),
      first_p95: this.#first.quantile(0.95),
    };
  }
}
