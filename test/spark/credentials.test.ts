/**
 * Where the Spark driver finds credentials for S3: in the environment, or from the role of the machine, pod
 * or container.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleared, folder } from '../helpers/binary.ts';
import { SPARK_PYTHON, sparkEnvironment } from '../helpers/spark.ts';
import { upstream } from '../helpers/upstream.ts';

const SCRIPT = join(import.meta.dir, '../../deploy/spark');
const KEYS = { AccessKeyId: 'id', SecretAccessKey: 'secret', Token: 'session' };
const FOUND = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'session',
};

/** The environment that a task passes to the binary. @param more additional variables of the executor */
async function environmentOf(more: Readonly<Record<string, string>>): Promise<unknown> {
  const code =
    'import json, llmproxy_export as e\ntry: print(json.dumps(e.aws_environment({"AWS_REGION": "eu-west-1"})))\n' +
    'except e.ExportError as error: print(json.dumps(str(error)))';
  const env = sparkEnvironment({ PYTHONPATH: SCRIPT, ...more });
  const child = Bun.spawn([SPARK_PYTHON!, '-c', code], { env, stdout: 'pipe', stderr: 'inherit' });
  return JSON.parse(await child.stdout.text());
}

describe.skipIf(SPARK_PYTHON === null)('credentials of an executor', () => {
  afterAll(cleared);

  test('come from the instance', async () => {
    await using metadata = upstream(({ path, headers }) => {
      if (path === '/latest/api/token') return new Response('token');
      if (headers.get('x-aws-ec2-metadata-token') !== 'token') return new Response('no', { status: 401 });
      if (path === '/latest/meta-data/iam/security-credentials/') return new Response('the-role');
      return path.endsWith('/the-role') ? Response.json(KEYS) : new Response('no', { status: 404 });
    });
    expect(await environmentOf({ AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url })).toEqual(FOUND);
  }, 60_000);

  test('come from the container', async () => {
    const token = join(folder(), 'token');
    writeFileSync(token, 'pod\n');
    await using agent = upstream(({ headers }) =>
      headers.get('authorization') === 'pod' ? Response.json(KEYS) : new Response('no', { status: 401 }),
    );
    const found = await environmentOf({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
    });
    expect(found).toEqual(FOUND);
  }, 60_000);

  test('come from the service account', async () => {
    const token = join(folder(), 'token');
    writeFileSync(token, 'web+identity');
    await using sts = upstream(({ text }) => {
      const form = new URLSearchParams(text);
      if (form.get('WebIdentityToken') !== 'web+identity' || form.get('RoleArn') !== 'arn:role')
        return new Response('no', { status: 403 });
      return new Response(
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>' +
          '<Credentials><AccessKeyId>id</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>' +
          '</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
      );
    });
    const found = await environmentOf({
      AWS_ROLE_ARN: 'arn:role',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ENDPOINT_URL_STS: sts.url,
    });
    expect(found).toEqual(FOUND);
  }, 60_000);

  test('that are missing are reported', async () => {
    const found = await environmentOf({ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' });
    expect(found).toMatch(/^Cannot reach S3 from \S+: it has no credentials; set AWS_ACCESS_KEY_ID/);
  }, 60_000);
});
