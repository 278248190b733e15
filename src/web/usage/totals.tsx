import type { Sums } from '../api.ts';
import { count, money, share, span } from '../lib/format.ts';

/** A period in four figures. */
export function Totals({ total }: { total: Sums }) {
  return (
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
