import type { Measure, Sample } from './row.ts';
import type { Spread } from './statistics.ts';
import { spread } from './statistics.ts';

/** One line of a table. */
export interface Line {
  readonly subject: string;
  readonly value: Spread;
  /** To the base of the measure, round by round; none without one. */
  readonly ratio: Spread | undefined;
}

/** What the samples say of a measure, a line for each subject that has it. */
export function linesOf(measure: Measure, samples: ReadonlyMap<string, readonly Sample[]>): readonly Line[] {
  const base = samples.get(measure.base);
  return [...samples].flatMap(([subject, all]) => {
    const values = all.flatMap((sample) => sample[measure.name] ?? []);
    if (values.length === 0) return [];
    const ratios = all.flatMap((sample, round) => {
      const ratio = (sample[measure.name] ?? Number.NaN) / (base?.[round]?.[measure.name] ?? Number.NaN);
      return Number.isNaN(ratio) ? [] : [ratio];
    });
    return [{ subject, value: spread(values), ratio: ratios.length > 0 ? spread(ratios) : undefined }];
  });
}

/** All measures as text, a block for each. */
export function tableText(
  measures: readonly Measure[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): string {
  const blocks = measures.map((measure) => {
    const lines = linesOf(measure, samples).map(({ subject, value, ratio }) =>
      [
        `  ${subject.padEnd(20)}`,
        figure(value.median).padStart(9),
        `[${figure(value.low)} .. ${figure(value.high)}]`.padStart(22),
        ratio ? `${ratio.median.toFixed(2)}x`.padStart(9) : '',
        ratio ? `[${ratio.low.toFixed(2)} .. ${ratio.high.toFixed(2)}]`.padStart(17) : '',
      ].join(' '),
    );
    return `${measure.title}, ${measure.unit} (ratio to ${measure.base})\n${lines.join('\n')}\n`;
  });
  return blocks.join('\n');
}

/** Three digits that count. */
function figure(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
