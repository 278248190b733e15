import type { SeriesAnswer, Sums } from '../api.ts';
import { count, money, share, span } from '../lib/format.ts';
import type { Series } from './charts.tsx';
import { Chart } from './charts.tsx';
import { nameOf } from './name.ts';
import { Totals } from './totals.tsx';
import { UsageTable } from './usage-table.tsx';

interface FiguresProps {
  readonly answer: SeriesAnswer;
  readonly by: string;
  readonly latency: 'p50' | 'p95';
}

/** The usage in a period, as charts and as figures. */
export function Figures({ answer, by, latency }: FiguresProps) {
  const { all, groups } = answer;
  const time = { fromMs: answer.fromMs, stepMs: answer.stepMs };
  const { total } = all;
  /** One for each group. */
  const each = (of: (sums: Sums) => number | null): Series[] =>
    groups.map((group, index) => ({
      name: nameOf(group),
      color: group.others ? 's8' : `s${index + 1}`,
      values: group.buckets.map((sums) => (sums ? of(sums) : null)),
    }));
  return (
    <>
      <Totals total={total} />
      <ul class="legend" aria-label={by}>
        {groups.map((group, index) => (
          <li key={nameOf(group)}>
            <i class={`swatch ${group.others ? 's8' : `s${index + 1}`}`} aria-hidden="true" />
            {nameOf(group)}
          </li>
        ))}
      </ul>
      <div class="charts">
        <Chart
          {...time}
          title="Spend"
          kind="bars"
          series={each(({ cost }) => cost)}
          format={money}
          total={money(total.cost)}
        />
        <Chart
          {...time}
          title="Requests"
          whole
          kind="bars"
          series={each(({ requests }) => requests)}
          format={count}
          total={count(total.requests)}
        />
        <Chart
          {...time}
          title="Tokens"
          kind="bars"
          series={each(({ input_tokens: input, output_tokens: output }) => input + output)}
          format={count}
          total={`${count(total.input_tokens)} in, ${count(total.output_tokens)} out`}
        />
        <Chart
          {...time}
          title="Failed"
          whole
          kind="bars"
          series={each(({ errors }) => errors)}
          format={count}
          total={share(total.errors, total.requests)}
        />
        <Chart
          {...time}
          title={`First content, ${latency}`}
          kind="lines"
          series={each((sums) => sums[`first_${latency}`])}
          format={span}
          total={`p50 ${span(total.first_p50)}, p95 ${span(total.first_p95)}`}
        />
        <Chart
          {...time}
          title={`Whole answer, ${latency}`}
          kind="lines"
          series={each((sums) => sums[`latency_${latency}`])}
          format={span}
          total={`p50 ${span(total.latency_p50)}, p95 ${span(total.latency_p95)}`}
        />
      </div>
      <UsageTable groups={groups} by={by} />
    </>
  );
}
