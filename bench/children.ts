/** Child processes that must end with the run. */
export const children: Bun.Subprocess[] = [];

export interface Started {
  readonly url: string;
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'ignore'>;
}

export interface StartOptions<T> {
  /** Environment variables in addition to those of this process. */
  readonly env?: Record<string, string>;
  /** Receives the messages that the server sends to its parent; without it, there is no IPC channel. */
  readonly ipc?: (message: T) => void;
}

/** Starts a server and waits for the URL it prints. */
export async function started<T = never>(
  command: string[],
  cwd: string,
  { env = {}, ipc }: StartOptions<T> = {},
): Promise<Started> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    ...(ipc && { ipc: (message: T) => ipc(message) }),
  });
  children.push(child);
  let text = '';
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /http:\/\/[\d.:]+/.exec(text)?.[0];
    if (url && text.includes('\n')) return { url, process: child };
  }
  throw new Error(`Cannot start ${command.join(' ')}: it printed no URL`);
}
