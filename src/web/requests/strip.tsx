/** The last hour in four figures, each with its history. */
import type { SeriesAnswer, Sums } from '../api.ts';
import { count, money, share, span } from '../lib/format.ts';
import { useFetched, useWidth } from '../lib/hooks.ts';

const EVERY_MS = 10_000;
const HEIGHT = 34;

export function Strip({ filter }: { filter: string }) {
  const { answer } = useFetched<SeriesAnswer>(
    `series?${new URLSearchParams({ span: '1h', filter }).toString()}`,
    EVERY_MS,
  );
  const total = answer?.all.total;
  const buckets = answer?.all.buckets ?? [];
  const of = (value: (sums: Sums) => number | null) => buckets.map((sums) => (sums ? value(sums) : null));
  const answered = total ? share(total.requests - total.errors, total.requests) : '';
  return (
    <dl class="stats" aria-label="The last hour">
      <Card
        name="Requests"
        value={total ? count(total.requests) : ''}
        note="in the last hour"
        values={of(({ requests }) => requests)}
        color="s1"
      />
      <Card
        name="Answered"
        value={answered}
        note={total ? (total.errors === 0 ? 'none failed' : `${count(total.errors)} failed`) : ''}
        values={of(({ errors }) => errors)}
        color="bad"
      />
      <Card
        name="First content"
        value={total ? span(total.first_p50) : ''}
        note={total ? `p95 ${span(total.first_p95)}` : ''}
        values={of((sums) => sums.first_p50)}
        color="s2"
      />
      <Card
        name="Spent"
        value={total ? money(total.cost) : ''}
        note={total ? `${count(total.input_tokens + total.output_tokens)} tokens` : ''}
        values={of(({ cost }) => cost)}
        color="s3"
      />
    </dl>
  );
}

interface CardProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly values: readonly (number | null)[];
  readonly color: string;
}

function Card({ name, value, note, values, color }: CardProps) {
  const [element, width] = useWidth<HTMLElement>();
  const most = Math.max(0, ...values.map((each) => each ?? 0));
  const step = values.length > 0 ? width / values.length : 0;
  return (
    <div class="card stat">
      <dt>{name}</dt>
      <dd class="value">{value === '' ? '–' : value}</dd>
      <dd class="faint">{note}</dd>
      <dd class="spark" ref={element} aria-hidden="true">
        <svg width={width} height={HEIGHT}>
          {values.map((each, index) => {
            const height = most === 0 || !each ? 1.5 : Math.max(2.5, (each / most) * HEIGHT);
            const gap = step > 4 ? 1.5 : 0.5;
            return (
              <rect
                key={index}
                class={each ? `fill ${color}` : 'fill none'}
                x={index * step}
                y={HEIGHT - height}
                width={Math.max(0.5, step - gap)}
                height={height}
                rx={Math.min(1.5, step / 3)}
              />
            );
          })}
        </svg>
      </dd>
    </div>
  );
}
