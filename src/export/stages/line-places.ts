/** Places of lines in words: stages identify lines by part and offset. */
import type { InputSeen } from '../read/input-watch.ts';
import type { OrderedPlace } from './decide.ts';
import type { ExtractCounts } from './extract.ts';
import type { StagePlan } from './stage-plan.ts';

export class LinePlaces {
  readonly #plan: StagePlan;
  /** The number of lines of each input before a part, by range and part. */
  readonly #before = new Map<string, number>();
  /** What was read of each input. */
  readonly seen: readonly InputSeen[];

  /** @param extracts in the order of their ranges */
  constructor(plan: StagePlan, extracts: readonly ExtractCounts[]) {
    this.#plan = plan;
    const lines = plan.inputs.map(() => 0);
    const bytes = plan.inputs.map(() => 0);
    for (const { range, parts } of extracts)
      for (const [number, part] of parts.entries()) {
        this.#before.set(`${range} ${number}`, lines[part.input]!);
        lines[part.input]! += part.lines;
        bytes[part.input]! += part.bytes;
      }
    this.seen = plan.inputs.map(({ name }, input) => ({ name, bytes: bytes[input]!, sha256: undefined }));
  }

  /** @param place `part:line` of a range, both from 0 @returns `file:line` */
  ofPart(range: number, place: string): string {
    const [number = 0, line = 0] = place.split(':').map(Number);
    const { input } = this.#plan.ranges[range]!.parts[number]!;
    return `${this.#plan.inputs[input]!.name}:${this.#before.get(`${range} ${number}`)! + line + 1}`;
  }

  of({ range, file, line }: Pick<OrderedPlace, 'range' | 'file' | 'line'>): string {
    const number = this.#plan.ranges[range]!.parts.findIndex(({ input }) => input === file);
    return this.ofPart(range, `${number}:${line}`);
  }

  /** @param place `range:input:line` */
  ofOffset(place: string): string {
    const [range = 0, file = 0, line = 0] = place.split(':').map(Number);
    return this.of({ range, file, line });
  }
}
