import { spawn, spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { type Door, Http1Path } from '../../support/http1-path.ts';
import { valuesOf, type WireMessage } from '../../support/one-reading.ts';
import type { OriginConnection } from '../../support/recording-origin.ts';

const missing = spawnSync('curl', ['--version']).status !== 0;

/** What curl printed: the body and, behind a bar, status and version. */
function curl(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', [
      '-s',
      '--max-time',
      '10',
      '-w',
      '|%{http_code} %{http_version}',
      ...args,
    ]);
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString('latin1');
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
    child.stdin.end(input);
  });
}

describe('curl through the sidecar', function () {
  this.timeout(20_000);

  let path: Http1Path;

  before(async function () {
    if (missing) {
      console.log('      skipped: there is no curl on this machine');
      this.skip();
    }
    path = await Http1Path.start();
  });

  after(() => path?.stop());

  const url = (target: string, door: Door = 'outbound') =>
    `http://localhost:${path.port(door)}${target}`;
  const arrived = () => path.origin.requests.at(-1) as WireMessage;

  it('asks in HTTP/1.0 and 1.1', async () => {
    expect(await curl([url('/a')])).to.equal('GET /a 0 |200 1.1');
    expect(await curl(['--http1.0', url('/a')])).to.equal('GET /a 0 |200 1.1');
    expect(await curl(['-I', url('/a')])).to.match(
      /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 10\r\n\r\n\|200 1\.1$/,
    );
  });

  it('uploads in chunks from a pipe', async () => {
    const answer = await curl(['-T', '-', '-H', 'Expect:', url('/up')], 'x'.repeat(200_000));

    expect(answer).to.equal(`PUT /up 200000 ${'x'.repeat(64)}|200 1.1`);
    expect(valuesOf(arrived(), 'transfer-encoding')).to.deep.equal(['chunked']);
  });

  it('waits for a 100, and takes a refusal instead', async () => {
    let seen: OriginConnection | null = null;
    path.origin.scripts.set('/wait', {
      at: 'head',
      run: (it) => {
        seen = it;
        it.send('HTTP/1.1 100 Continue\r\n\r\n');
      },
    });
    path.origin.scripts.set('/no', {
      at: 'head',
      run: (it) => it.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    });
    const send = (target: string) =>
      curl(['-H', 'Expect: 100-continue', '--expect100-timeout', '9', '-d', 'abc', url(target)]);

    const waiting = send('/wait');
    await path.origin.when(
      () => path.origin.requests.some(({ body }) => body === 'abc'),
      'the body',
    );
    (seen as OriginConnection | null)?.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await waiting).to.equal('ok|200 1.1');
    expect(await send('/no')).to.equal('no|403 1.1');
  });

  it('reads chunks and trailers as they are', async () => {
    path.origin.scripts.set('/chunks', {
      at: 'end',
      run: (it) =>
        it.send(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n',
        ),
    });

    expect(await curl(['--raw', url('/chunks')])).to.equal(
      '3\r\nabc\r\n0\r\nX-T: u\r\n\r\n|200 1.1',
    );
    expect(await curl(['--http1.0', url('/chunks')])).to.equal('abc|200 1.1');
  });

  it('uses the forward proxy, which refuses another Host', async () => {
    const proxied = ['-x', `http://127.0.0.1:${path.port('forward proxy')}`];

    expect(await curl([...proxied, 'http://localhost/p?q'])).to.equal('GET /p?q 0 |200 1.1');
    expect(await curl([...proxied, '--http1.0', 'http://localhost/p'])).to.equal(
      'GET /p 0 |200 1.1',
    );
    expect(await curl([...proxied, '-H', 'Host: other', 'http://localhost/p'])).to.match(
      /\|400 1\.1$/,
    );
  });

  it('sees a body that is cut off', async () => {
    path.origin.scripts.set('/cut', {
      at: 'end',
      run: (it) => it.finish('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf', 'reset'),
    });
    const child = spawn('curl', ['-s', '--http1.0', '--max-time', '10', url('/cut')]);
    const code = await new Promise((resolve) => child.on('close', resolve));

    expect(code).not.to.equal(0);
  });
});
