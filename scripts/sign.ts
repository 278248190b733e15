/** Signs a file with a tool and a key that the user brings. */
import { existsSync } from 'node:fs';

interface Signing {
  /** File of the signature. */
  readonly signature: (file: string) => string;
  /** @param key a file, or what else the tool takes; `undefined` for the tool's own default */
  readonly command: (file: string, key: string | undefined, comment: string) => readonly string[];
  /** Whether the tool has a key that it finds by itself. */
  readonly keyOptional: boolean;
}

const TOOLS = {
  minisign: {
    signature: (file) => `${file}.minisig`,
    command: (file, key, comment) => [
      '-S',
      ...(key === undefined ? [] : ['-s', key]),
      '-t',
      comment,
      '-m',
      file,
    ],
    keyOptional: true,
  },
  // Without a key it would sign with a person's e-mail address and publish that; so one is asked for.
  cosign: {
    signature: (file) => `${file}.sigstore.json`,
    command: (file, key) => ['sign-blob', '--yes', '--key', key!, '--bundle', `${file}.sigstore.json`, file],
    keyOptional: false,
  },
} as const satisfies Record<string, Signing>;

/** What can sign. */
export type Signer = (file: string) => Promise<string>;

/**
 * Looks for the tool and the key at once, since what is to be signed takes minutes to build.
 * @param tool as the user named it
 * @param key a file, or a name the tool itself understands, such as cosign's `awskms://...`
 * @param comment what minisign signs along with the file
 * @returns signs a file and returns the file of the signature
 * @throws Error when the tool is unknown or not installed, or there is no such key
 */
export function signer(tool: string, key: string | undefined, comment: string): Signer {
  if (!isTool(tool)) {
    throw new Error(`Cannot sign with ${tool}: expected ${Object.keys(TOOLS).join(' or ')}`);
  }
  const { command, signature, keyOptional }: Signing = TOOLS[tool];
  const program = Bun.which(tool);
  if (program === null) throw new Error(`Cannot sign with ${tool}: it is not installed, or not in PATH`);
  if (key === undefined && !keyOptional) {
    throw new Error(`Cannot sign with ${tool}: name the key, as in SIGN_KEY=${tool}.key`);
  }
  if (key !== undefined && !/^[a-z0-9]+:\/\//.test(key) && !existsSync(key)) {
    throw new Error(`Cannot sign with ${tool}: there is no key file ${key}`);
  }
  return async (file) => {
    // It may ask for the key's password.
    const options = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;
    const code = await Bun.spawn([program, ...command(file, key, comment)], options).exited;
    if (code !== 0) throw new Error(`Cannot sign ${file}: ${tool} ended with ${code}`);
    if (!existsSync(signature(file)))
      throw new Error(`Cannot sign ${file}: ${tool} wrote no ${signature(file)}`);
    return signature(file);
  };
}

function isTool(tool: string): tool is keyof typeof TOOLS {
  return Object.hasOwn(TOOLS, tool);
}
