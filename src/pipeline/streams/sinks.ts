import type { LogRecord } from '../../logs/record.ts';
import type { Defects } from './defects.ts';
import type { Trace } from '../record/trace.ts';

/**
 * Receives every finished record: the log, the metrics. Must not wait. The trace identifies the request for other
 * systems, if it is traced.
 * @returns false when the record is lost here
 */
export type RecordSink = (record: LogRecord, trace: Trace | undefined) => unknown;

export interface NamedSink {
  readonly name: string;
  /** Whether a record that this sink cannot take is lost: true for the log, false for counters. */
  readonly keeps: boolean;
  readonly take: RecordSink;
}

/** Passes every record to all sinks. One that throws affects neither the answer nor the other sinks. */
export class Sinks {
  readonly #sinks: readonly NamedSink[];
  readonly #defects: Defects;
  readonly #errors: Map<string, number>;

  constructor(sinks: readonly NamedSink[], defects: Defects) {
    this.#sinks = sinks;
    this.#defects = defects;
    this.#errors = new Map(sinks.map(({ name }) => [name, 0]));
  }

  /** How often each sink has thrown. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }

  /** @returns whether the record is kept wherever it should be */
  take(record: LogRecord, trace?: Trace): boolean {
    let kept = true;
    for (const sink of this.#sinks) if (!this.#taken(sink, record, trace) && sink.keeps) kept = false;
    return kept;
  }

  #taken(sink: NamedSink, record: LogRecord, trace: Trace | undefined): boolean {
    try {
      const taken = sink.take(record, trace);
      if (taken instanceof Promise) taken.catch((thrown: unknown) => this.#failed(sink, thrown));
      return taken !== false;
    } catch (thrown) {
      this.#failed(sink, thrown);
      return false;
    }
  }

  #failed({ name }: NamedSink, thrown: unknown): void {
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1);
    this.#defects.tell(`Cannot hand a record to the sink ${name}`, thrown, name);
  }
}
