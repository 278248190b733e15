/** What a command shows in a terminal of 80 columns, as text that is the same on every machine and day. */
import { BINARY } from './binary.ts';

const COLUMNS = 80;

export interface Typed {
  readonly cwd: string;
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
}

/** Runs a command in a terminal. @returns the screen, with the typed line above it and the exit status below */
export async function screenOf({ cwd, args, env = {}, columns = COLUMNS }: Typed): Promise<string> {
  const decoder = new TextDecoder();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let shown = '';
  const child = Bun.spawn([BINARY, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, TERM: 'xterm', ...env },
    terminal: {
      cols: columns,
      rows: 50,
      data: (_: unknown, bytes: Uint8Array) => void (shown += decoder.decode(bytes, { stream: true })),
      exit: () => close(),
    },
  });
  const [code] = await Promise.all([child.exited, closed]);
  const text = Bun.stripANSI(shown.replaceAll('\r\n', '\n'));
  return `$ llmproxy ${args.join(' ')}\n${text}(exit ${code})\n`;
}

/** Text that differs between runs, and its replacement: equally wide, so that columns stay aligned. */
const CHANGING: readonly (readonly [what: RegExp, put: string])[] = [
  [/\d\d:\d\d:\d\dZ/g, 'hh:mm:ssZ'],
  [/127\.0\.0\.1:\d{4,5}\b/g, '127.0.0.1:PORT'],
  [/\d+\.\d+\.\d+ \([^)]*\)/g, 'VERSION (COMMIT)'],
  [/[\d,]+ [GM]iB free/g, 'N GiB free'],
  [/answers in \d+ ms/g, 'answers in N ms'],
  [/[\d,]+ at once$/gm, 'N at once'],
  [/^(\S+ +open files +).*$/gm, '$1N at once'],
];

/** A screen with the changing text replaced. */
export function steady(screen: string): string {
  return CHANGING.reduce((text, [what, put]) => text.replaceAll(what, put), screen);
}

/** Lines that are wider than the terminal, which would wrap them within words. */
export function tooWide(screen: string, columns = COLUMNS): string[] {
  return screen
    .split('\n')
    .slice(1)
    .filter((line) => Bun.stringWidth(line) > columns);
}
