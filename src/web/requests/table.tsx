import { memo } from 'preact/compat';
import type { RequestRow } from '../api.ts';
import { clock, count, money, span } from '../lib/format.ts';
import { hashOf } from '../lib/route.ts';
import { endOf, keyOf } from './live-store.ts';
import { Outcome } from './outcome.tsx';

export function RequestTable({
  rows,
  filter,
  open,
}: {
  rows: readonly RequestRow[];
  filter: string;
  open: string | undefined;
}) {
  return (
    <table class="requests-table">
      <caption class="sr">Requests, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Ended</th>
          <th scope="col">Model</th>
          <th scope="col" class="provider">
            Provider
          </th>
          <th scope="col" class="key">
            Key
          </th>
          <th scope="col">Outcome</th>
          <th scope="col" class="number">
            Tokens
          </th>
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col" class="first number">
            First content
          </th>
          <th scope="col" class="number">
            Total
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={keyOf(row)} row={row} filter={filter} open={row.id === open} />
        ))}
      </tbody>
    </table>
  );
}

const Row = memo(function Row({ row, filter, open }: { row: RequestRow; filter: string; open: boolean }) {
  const elsewhere = row.upstream_model !== null && row.upstream_model !== row.model;
  return (
    <tr class={open ? 'open' : undefined}>
      <td class="time">
        <a
          class="row-link"
          href={hashOf({ view: 'requests', id: row.id, filter })}
          aria-current={open ? 'true' : undefined}
        >
          {clock(endOf(row))}
        </a>
      </td>
      <td class="model">
        <span title={elsewhere ? `${row.model} → ${row.upstream_model}` : row.model}>
          {row.model === '' ? row.endpoint : row.model}
        </span>
      </td>
      <td class="provider">{row.provider ?? '–'}</td>
      <td class="key">{row.key ?? '–'}</td>
      <td class="result">
        <Outcome row={row} />
      </td>
      <td class="tokens number">
        {row.input_tokens === null && row.output_tokens === null ? (
          '–'
        ) : (
          <>
            {count(row.input_tokens)} <i>/</i> {count(row.output_tokens)}
          </>
        )}
      </td>
      <td class="cost number">{money(row.cost)}</td>
      <td class="first number">{span(row.first_content_ms)}</td>
      <td class="total number">{span(row.latency_ms)}</td>
    </tr>
  );
});
