/** Describes a finding: what was sent, what happened, and how to reproduce it. */
import type { Finding } from './alone.ts';

const MOST = 1_500;

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1')).slice(1, -1).replaceAll('\\"', '"');
  return text.length <= MOST ? text : `${text.slice(0, MOST)}... (${bytes.length} bytes)`;
}

export function describe({ case: fuzzed, problems, seen, keep }: Finding): string {
  const told = problems.length > 0 ? problems.map((problem) => `! ${problem}`) : ['nothing is broken'];
  if (!fuzzed) return told.join('\n');
  const { seed, number, side, lane, endpoint, stream, sending, done } = fuzzed;
  const again = keep && keep.length < fuzzed.steps ? ` KEEP=${keep.join(',')}` : '';
  const lines = [
    ...told,
    `  make fuzz SEED=${seed} CASE=${number}${again}`,
    `  ${side} of ${endpoint}${stream ? ', streamed' : ''}, at ${lane.name}`,
    ...done.filter((what) => what !== undefined).map((what) => `  - ${what}`),
  ];
  if (side === 'request' || !seen) lines.push(`  sent: ${shown(Buffer.concat(sending.pieces))}`);
  for (const { ask, plan } of (seen?.asked ?? []).slice(0, 2)) {
    lines.push(`  asked: ${ask.path}`, `  answered: ${shown(plan.head)}`, `    ${shown(plan.body)}`);
    if (plan.cut) lines.push(`    cut at ${plan.cut.at.toFixed(4)} by ${plan.cut.how}`);
  }
  if (!seen) return lines.join('\n');
  const { got, records } = seen;
  lines.push(
    `  got: ${got.status}${got.complete ? '' : ', incomplete'}${got.left ? ', left' : ''} ${shown(got.body)}`,
  );
  for (const { outcome, status, fault, error, finish, lane: way } of records)
    lines.push(`  record: ${JSON.stringify({ outcome, status, fault, error, finish, lane: way })}`);
  return lines.join('\n');
}
