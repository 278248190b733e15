/** Writes the results of a full run into docs/performance.md, and a summary into the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Samples } from './report.ts';
import { figure, linesOf, tableMarkdown, times } from './report.ts';
import type { Measure } from './row.ts';
import type { Subject } from './subjects.ts';

/** Kernel threads and an idle desktop use less than this share of the machine; a test run uses much more. */
export const OTHERS_MAY_USE = 0.1;
const ROOT = join(import.meta.dir, '..');

export interface Results {
  readonly instances: number;
  /** The number of processes of the other programs. */
  readonly otherInstances: number;
  /** The share of the machine that unrelated programs used in the meantime, from 0 to 1. */
  readonly othersShare: number;
  readonly subjects: readonly Subject[];
  /** A line for each row that another proxy could not complete. */
  readonly leftOut: readonly string[];
  readonly measures: readonly Measure[];
  readonly samples: Samples;
}

export function writePages(results: Results): void {
  const summary = summaryOf(results);
  for (const page of ['README.md', 'docs/performance.md'])
    write(page, (text) => withBlock(text, 'summary', summary));
  const tables = `${circumstances(results)}\n\n${tableMarkdown(results.measures, results.samples)}`;
  write('docs/performance.md', (text) => withBlock(text, 'results', tables.trimEnd()));
}

/**
 * The text with the content between the markers of this name replaced.
 * @throws when the markers are missing
 */
export function withBlock(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- make bench: ${name} -->\n`, `\n<!-- /${name} -->`];
  const from = text.indexOf(open) + open.length;
  const to = text.indexOf(close);
  if (from < open.length || to < from) throw new Error(`Cannot write ${name}: its marks are not there`);
  return `${text.slice(0, from)}\n${content}\n${text.slice(to)}`;
}

/** The content between the markers, trimmed. */
export function blockOf(text: string, name: string): string {
  const [, content = ''] =
    new RegExp(`<!-- make bench: ${name} -->\n([\\s\\S]*?)\n<!-- /${name} -->`).exec(text) ?? [];
  return content.trim();
}

/**
 * The table of the README: one row for each measure, with the medians of llmproxy and of the others as ratios to the
 * bare passthrough.
 */
function summaryOf(results: Results): string {
  const { measures, samples, instances, othersShare } = results;
  const others = [...samples.keys()].filter(
    (name) => !name.startsWith('llmproxy') && !name.startsWith('bare'),
  );
  const head = ['', 'llmproxy', 'to bare Bun', ...others];
  const rows = measures.flatMap((measure) => {
    const lines = linesOf(measure, samples);
    const own = lines.find(({ subject }) => subject === 'llmproxy');
    if (!own || !measure.quoted) return [];
    const ratios = others.map((name) => {
      const ratio = lines.find(({ subject }) => subject === name)?.ratio.median;
      return ratio === undefined ? '' : times(ratio);
    });
    return [
      [measure.title, `${figure(own.value.median)} ${measure.unit}`, times(own.ratio.median), ...ratios],
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map((_, n) => (n === 0 ? '---' : '--:'))), ...rows.map(line)];
  const processes = instances === 1 ? '1 process' : `${instances} processes`;
  const disturbed = othersShare > OTHERS_MAY_USE ? `, ${othersUsed(othersShare)}` : '';
  return `Medians of ${processes}, ${machine()}${disturbed}, ${date()}:\n\n${table.join('\n')}`;
}

function circumstances({ instances, otherInstances, othersShare, subjects, leftOut }: Results): string {
  const others = subjects.filter(({ kind }) => kind === 'nginx' || kind === 'peer');
  const peers = others.some(({ kind }) => kind === 'peer');
  const versions = others.map(({ name, version }) => `, ${name} ${version ?? 'of unknown version'}`).join('');
  const fewer =
    others.length > 0 ? `, ${otherInstances} of ${others.map(({ name }) => name).join(', ')}` : '';
  return [
    `- ${machine()}, ${Math.round(totalmem() / 1024 ** 3)} GB, ${process.platform} ${process.arch}; ${othersUsed(othersShare)}`,
    `- Bun ${Bun.version}${versions}; ${date()}`,
    `- \`make bench${peers ? ' PEERS=DIR' : ''}\`: processes per subject: ${instances}${fewer}`,
    ...leftOut.map((line) => `- ${line}`),
  ].join('\n');
}

function machine(): string {
  const all = cpus();
  return `${all.length} cores (${all[0]?.model.trim()}) shared by all programs`;
}

function othersUsed(share: number): string {
  return `other programs used ${Math.round(share * 100)} % of it during the run`;
}

function date(): string {
  return new Date().toISOString().slice(0, 10);
}

function write(page: string, change: (text: string) => string): void {
  const path = join(ROOT, page);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
