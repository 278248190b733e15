import { useState } from 'preact/hooks';
import type { SeriesAnswer, SeriesGroup, Session, Sums } from '../api.ts';
import type { Route } from '../lib/route.ts';
import { count, money, share, span } from '../lib/format.ts';
import { useAsked } from '../lib/hooks.ts';
import { go } from '../lib/route.ts';
import { FilterBar } from '../requests/filter-bar.tsx';
import { Choice } from '../lib/choice.tsx';
import type { Series } from './charts.tsx';
import { Chart } from './charts.tsx';

const SPANS = { '1h': 'Hour', '24h': 'Day', '7d': 'Week', '30d': 'Month' } as const;
const LATENCY = { p50: 'p50', p95: 'p95' } as const;
const BY = { model: 'Model', key: 'Key', provider: 'Provider' } as const;

/** While there is more to read, and afterwards, milliseconds. */
const SOON_MS = 300;
const LATER_MS = 10_000;

export function Usage({ session, route }: { session: Session; route: Route }) {
  const [wanted, setSpan] = useState<keyof typeof SPANS>('24h');
  const [by, setBy] = useState<keyof typeof BY>('model');
  const [latency, setLatency] = useState<keyof typeof LATENCY>('p50');
  const { filter } = route;
  const [reading, setReading] = useState(false);
  const query = new URLSearchParams({ span: wanted, by, filter }).toString();
  const { answer, problem, loading } = useAsked<SeriesAnswer>(
    session.logged ? `series?${query}` : undefined,
    reading ? SOON_MS : LATER_MS,
  );
  if (answer && reading === answer.complete) setReading(!answer.complete);
  return (
    <>
      <div class="card flush">
        <div class="bar">
          <FilterBar filter={filter} onFilter={(next) => go({ view: 'usage', filter: next }, true)} />
          <div class="bar-tools">
            <Choice label="Time" options={SPANS} value={wanted} onChoose={setSpan} />
            <Choice label="By" options={BY} value={by} onChoose={setBy} />
            <Choice label="Latency" options={LATENCY} value={latency} onChoose={setLatency} />
          </div>
        </div>
        {reading ? <p class="note">Reading the log; what is shown so far are the newest requests.</p> : null}
        {session.logged ? null : (
          <p class="note">The request log is off, so that nothing is known of the past.</p>
        )}
        {problem ? (
          <p class="note bad" role="alert">
            {problem}
          </p>
        ) : null}
      </div>
      {answer ? (
        <Charts answer={answer} by={BY[by]} latency={latency} />
      ) : loading ? (
        <p class="empty">Looking…</p>
      ) : null}
    </>
  );
}

interface ChartsProps {
  readonly answer: SeriesAnswer;
  readonly by: string;
  readonly latency: 'p50' | 'p95';
}

function Charts({ answer, by, latency }: ChartsProps) {
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
      <dl class="stats">
        <Stat name="Requests" value={count(total.requests)} note={`${count(total.errors)} failed`} />
        <Stat
          name="Answered"
          value={share(total.requests - total.errors, total.requests)}
          note={`of ${count(total.requests)}`}
        />
        <Stat name="First content" value={span(total.first_p50)} note={`p95 ${span(total.first_p95)}`} />
        <Stat
          name="Spent"
          value={money(total.cost)}
          note={
            total.unpriced > 0
              ? `${count(total.unpriced)} without a price`
              : `${count(total.input_tokens + total.output_tokens)} tokens`
          }
        />
      </dl>
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
      <div class="card flush scroll" role="region" aria-label={`Usage by ${by.toLowerCase()}`} tabIndex={0}>
        <table class="plain roomy">
          <thead>
            <tr>
              <th scope="col">{by}</th>
              {[
                'Requests',
                'Failed',
                'Tokens in',
                'Tokens out',
                'Spent',
                'First p50',
                'First p95',
                'Whole p95',
              ].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <Row key={nameOf(group)} group={group} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ group }: { group: SeriesGroup }) {
  const { total } = group;
  return (
    <tr>
      <th scope="row">{nameOf(group)}</th>
      <td class="number">{count(total.requests)}</td>
      <td class="number">
        {total.errors === 0 ? '0' : `${count(total.errors)} (${share(total.errors, total.requests)})`}
      </td>
      <td class="number">{count(total.input_tokens)}</td>
      <td class="number">{count(total.output_tokens)}</td>
      <td class="number">{money(total.cost)}</td>
      <td class="number">{span(total.first_p50)}</td>
      <td class="number">{span(total.first_p95)}</td>
      <td class="number">{span(total.latency_p95)}</td>
    </tr>
  );
}

function Stat({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div class="card stat">
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="faint">{note}</dd>
    </div>
  );
}

function nameOf({ name, others }: SeriesGroup): string {
  return others ? 'others' : (name ?? '(none)');
}
