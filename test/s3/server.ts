/** A local S3 server with one bucket, for one directory. Usage: bun server.ts DIRECTORY. Prints its port. */
import S3rver from 's3rver';

const server = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: process.argv[2]!,
  configureBuckets: [{ name: 'logs', configs: [] }],
});
const { port } = await server.run();
process.stdout.write(`${port}\n`);
