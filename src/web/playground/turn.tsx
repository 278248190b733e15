import { count, span } from '../lib/format.ts';
import type { Facts, Turn } from './chat.ts';

/** A turn of the conversation. @param writing whether it is still being written */
export function TurnView({ turn, writing }: { turn: Turn; writing: boolean }) {
  const { role, text, thinking, facts, problem } = turn;
  return (
    <div class={`message ${role}`}>
      <p class="role">{role === 'user' ? 'You' : 'Assistant'}</p>
      {thinking ? (
        <details class="thinking" open={text === ''}>
          <summary>Reasoning</summary>
          <div class="said">{thinking}</div>
        </details>
      ) : null}
      <div class={writing ? 'said writing' : 'said'}>{text}</div>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {facts ? <FactsLine facts={facts} /> : null}
    </div>
  );
}

function FactsLine({ facts }: { facts: Facts }) {
  const { target, attempts, firstMs, ms, input, output, finish, id } = facts;
  const figures = [
    target,
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    `first content ${span(firstMs)}`,
    span(ms),
    ...(output === null ? [] : [`${count(input)} in, ${count(output)} out`]),
    ...(finish === null || finish === 'stop' ? [] : [finish]),
  ];
  return (
    <p class="faint turn-facts">
      {figures.join(' · ')} · <a href={`#/requests/${encodeURIComponent(id)}`}>request</a>
    </p>
  );
}
