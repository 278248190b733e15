import type { SeriesGroup } from '../api.ts';
import { count, money, share, span } from '../lib/format.ts';
import { nameOf } from './name.ts';

/** The usage of each group, in figures. */
export function UsageTable({ groups, by }: { groups: readonly SeriesGroup[]; by: string }) {
  return (
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
