/** Writes what a whole run found into docs/performance.md, and its summary into the README as well. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Samples } from './report.ts';
import { figure, linesOf, tableMarkdown, times } from './report.ts';
import type { Measure } from './row.ts';
import type { Subject } from './subjects.ts';

const ROOT = join(import.meta.dir, '..');

export interface Results {
  readonly instances: number;
  /** Processes of the other proxies, which are slow. */
  readonly peerInstances: number;
  readonly subjects: readonly Subject[];
  /** A line for each row that a proxy of others could not do. */
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
 * The text with what stands between the marks of this name replaced.
 * @throws when the marks are not there
 */
export function withBlock(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- make bench: ${name} -->\n`, `\n<!-- /${name} -->`];
  const from = text.indexOf(open) + open.length;
  const to = text.indexOf(close);
  if (from < open.length || to < from) throw new Error(`Cannot write ${name}: its marks are not there`);
  return `${text.slice(0, from)}\n${content}\n${text.slice(to)}`;
}

/** What stands between the marks, trimmed. */
export function blockOf(text: string, name: string): string {
  const [, content = ''] =
    new RegExp(`<!-- make bench: ${name} -->\n([\\s\\S]*?)\n<!-- /${name} -->`).exec(text) ?? [];
  return content.trim();
}

/** What the README quotes: a row a measure, with the median of llmproxy and of the others as ratios to the bare passthrough. */
function summaryOf({ measures, samples }: Results): string {
  const others = [...samples.keys()].filter((name) => name !== 'llmproxy' && !name.startsWith('bare'));
  const head = ['', 'llmproxy', 'to bare Bun', ...others];
  const quoted = measures.filter((measure) => measure.quoted);
  const rows = quoted.flatMap((measure) => {
    const lines = linesOf(measure, samples);
    const own = lines.find(({ subject }) => subject === 'llmproxy');
    if (!own) return [];
    const ratios = others.map((name) => {
      const ratio = lines.find(({ subject }) => subject === name)?.ratio.median;
      return ratio === undefined ? '' : times(ratio);
    });
    return [
      [measure.title, `${figure(own.value.median)} ${measure.unit}`, times(own.ratio.median), ...ratios],
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

function circumstances({ instances, peerInstances, subjects, leftOut }: Results): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const peers = subjects.filter(({ kind }) => kind === 'peer').map(({ name }) => name);
  const fewer = peers.length > 0 ? ` (${peers.join(' and ')}: ${peerInstances})` : '';
  const others = subjects.flatMap(({ name, version }) => (version ? [`, ${name} ${version}`] : [])).join('');
  return [
    `- Machine: ${cpu?.model.trim()}, ${cpus().length} cores that all processes share, ${gigabytes} GB, ${process.platform} ${process.arch}`,
    `- Bun ${Bun.version}${others}; ${new Date().toISOString().slice(0, 10)}`,
    `- \`make bench${peers.length > 0 ? ' PEERS=DIR' : ''}\`, ${instances} fresh processes of each subject${fewer}`,
    ...leftOut.map((line) => `- ${line}`),
  ].join('\n');
}

function write(page: string, change: (text: string) => string): void {
  const path = join(ROOT, page);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
