/** Processes that must not outlive the run. */
export const children: Bun.Subprocess[] = [];

export interface Started {
  readonly url: string;
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'ignore'>;
}

/** Starts a server and waits for the URL it prints. */
export async function started(command: string[], cwd: string): Promise<Started> {
  const child = Bun.spawn(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
  children.push(child);
  let text = '';
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /http:\/\/[\d.:]+/.exec(text)?.[0];
    if (url && text.includes('\n')) return { url, process: child };
  }
  throw new Error(`Cannot start ${command.join(' ')}: it printed no URL`);
}
