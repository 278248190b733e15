import type { Measure, Sample } from './row.ts';
import type { Spread } from './statistics.ts';
import { spread } from './statistics.ts';

/** Samples by subject, one for each instance. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** One line of a table. */
interface Line {
  readonly subject: string;
  readonly value: Spread;
  /** The ratio to the base of the measure, round by round. */
  readonly ratio: Spread;
}

const WIDTHS = [20, 9, 20, 9, 20];

/** All measures as text, one block for each, at most 100 columns wide. */
export function tableText(measures: readonly Measure[], samples: Samples): string {
  const padded = (cells: readonly string[]) =>
    cells
      .map((cell, n) => (n === 0 ? cell.padEnd(WIDTHS[n]!) : cell.padStart(WIDTHS[n]!)))
      .join(' ')
      .trimEnd();
  return measures
    .map((measure) => {
      const head = padded(['', measure.unit, 'quartiles', 'ratio', 'quartiles']);
      const lines = linesOf(measure, samples).map((line) => padded(cellsOf(line)));
      return `${measure.title}; ratio to ${measure.base}\n${[head, ...lines].join('\n')}\n`;
    })
    .join('\n');
}

/** The same tables in Markdown. */
export function tableMarkdown(measures: readonly Measure[], samples: Samples): string {
  return measures
    .map((measure) => {
      const rows = linesOf(measure, samples).map((line) => `| ${cellsOf(line).join(' | ')} |`);
      return [
        `### ${measure.title}`,
        '',
        `| subject | ${measure.unit} | quartiles | to ${measure.base} | quartiles |`,
        '| --- | --: | --: | --: | --: |',
        ...rows,
        '',
      ].join('\n');
    })
    .join('\n');
}

/** The results of a measure, one line for each subject that has any. */
export function linesOf(measure: Measure, samples: Samples): readonly Line[] {
  const base = samples.get(measure.base);
  return [...samples].flatMap(([subject, all]) => {
    const values = all.flatMap((sample) => sample[measure.name] ?? []);
    if (values.length === 0) return [];
    const ratios = all.flatMap((sample, round) => {
      const [own, other] = [sample[measure.name], base?.[round]?.[measure.name]];
      return own === undefined || other === undefined ? [] : [own / other];
    });
    return [{ subject, value: spread(values), ratio: spread(ratios) }];
  });
}

function cellsOf({ subject, value, ratio }: Line): readonly string[] {
  const range = ({ low, high }: Spread, text: (value: number) => string) => `${text(low)} .. ${text(high)}`;
  if (Number.isNaN(ratio.median)) return [subject, figure(value.median), range(value, figure), '', ''];
  return [
    subject,
    figure(value.median),
    range(value, figure),
    times(ratio.median),
    range(ratio, (each) => times(each).slice(0, -1)),
  ];
}

/** A number with three significant digits. */
export function figure(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio >= 100 ? 0 : ratio >= 10 ? 1 : 2)}x`;
}
