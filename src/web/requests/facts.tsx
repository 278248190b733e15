import type { ComponentChildren } from 'preact';
import type { RequestDetail } from '../api.ts';
import { bytes, count, moment, money, span } from '../lib/format.ts';
import { Outcome } from './outcome.tsx';

/** The facts about a request, side by side. */
export function Facts({ detail }: { detail: RequestDetail }) {
  const { row } = detail;
  const target = row.provider === null ? '–' : `${row.provider}/${row.upstream_model ?? ''}`;
  return (
    <dl class="facts">
      <Fact name="Outcome">
        <Outcome row={row} />
      </Fact>
      <Fact name="Answered by">{target}</Fact>
      <Fact name="Status">{row.status}</Fact>
      <Fact name="Tokens">
        {count(row.input_tokens)} in, {count(row.output_tokens)} out
      </Fact>
      <Fact name="Cost">
        {money(row.cost)}
        {detail.failed_cost ? ` + ${money(detail.failed_cost)} failed` : ''}
      </Fact>
      <Fact name="Time">{span(row.latency_ms)}</Fact>
      <Fact name="Arrived">{moment(row.ts)}</Fact>
      <Fact name="First content">{span(row.first_content_ms)}</Fact>
      <Fact name="Key">
        {row.key ?? '–'}
        {row.group ? ` (${row.group})` : ''}
      </Fact>
      <Fact name="Endpoint">
        {row.endpoint}
        {row.stream ? ', streamed' : ''}
      </Fact>
      <Fact name="Lane">{detail.lane ?? '–'}</Fact>
      <Fact name="Size">
        {bytes(detail.request_bytes)} in, {bytes(detail.response_bytes)} out
      </Fact>
      {detail.cached_tokens ? <Fact name="Cached">{count(detail.cached_tokens)} tokens</Fact> : null}
      {detail.reasoning_tokens ? <Fact name="Reasoning">{count(detail.reasoning_tokens)} tokens</Fact> : null}
      {row.user ? <Fact name="User">{row.user}</Fact> : null}
      {row.conversation ? (
        <Fact name="Conversation">
          <a
            href={`#/requests?${new URLSearchParams({ filter: `conversation="${row.conversation}"` }).toString()}`}
          >
            {row.conversation}
          </a>
        </Fact>
      ) : null}
      {detail.user_agent ? <Fact name="Client">{detail.user_agent}</Fact> : null}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
