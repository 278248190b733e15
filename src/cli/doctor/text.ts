/** Findings as lines for people. */
import { wrapped } from '../wrap.ts';
import type { Finding, State } from './finding.ts';

const STATES: readonly State[] = ['failed', 'warning', 'skipped', 'ok'];
const COLORS: Readonly<Record<State, number>> = { ok: 32, warning: 33, failed: 31, skipped: 90 };
const STATE_COLUMNS = 9;
/** Longer names are put on a line of their own. */
const MOST_NAME = 14;
const LEAST_COLUMNS = 40;

export interface Screen {
  readonly width: number;
  readonly color: boolean;
}

export function findingsText(findings: readonly Finding[], { width, color }: Screen): string {
  const columns = Math.max(LEAST_COLUMNS, width);
  const widths = findings.map(({ name }) => Bun.stringWidth(name)).filter((each) => each <= MOST_NAME);
  const names = Math.max(0, ...widths) + 2;
  const left = STATE_COLUMNS + names;
  const lines = findings.flatMap(({ name, state, message, fix }) => {
    const label = color ? `\x1b[${COLORS[state]}m${state}\x1b[0m` : state;
    const [first = '', ...more] = [
      ...wrapped(message, columns - left),
      ...(fix === undefined ? [] : wrapped(fix, columns - left)),
    ];
    const gap = ' '.repeat(STATE_COLUMNS - state.length);
    const long = Bun.stringWidth(name) > names - 2;
    const head = long
      ? [`${label}${gap}${name}`, `${' '.repeat(left)}${first}`]
      : [`${label}${gap}${padded(name, names)}${first}`];
    return [...head, ...more.map((line) => `${' '.repeat(left)}${line}`)];
  });
  return [...lines, '', summary(findings)].join('\n');
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - Bun.stringWidth(text)));
}

function summary(findings: readonly Finding[]): string {
  const counts = STATES.map(
    (state) => [state, findings.filter((each) => each.state === state).length] as const,
  );
  const shown = counts.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  return `${shown.join(', ')}.`;
}
