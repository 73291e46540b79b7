/** `parley publish`: a graph file becomes a version, in the store or through a server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Signature, Tensor } from '#parley/model/tensor.js';
import type { LedgerEntry, ModelVersion } from '#parley/model/version.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { BreakingProxy } from '../rpc/breaking-proxy.js';
import { placeForEach } from './parley.js';
import { expectRefusal } from './refusals.js';

interface Published {
  readonly version: ModelVersion;
  readonly signature: Signature;
}

/** y = x · w; `width` numbers of it make the file as large as is wanted. */
function graphOf(width: number): Uint8Array {
  const graph = new GraphBuilder();
  const weights: Tensor = { dataType: 'float32', shape: [width, 1], data: new Float32Array(width).fill(1) };
  const product = graph.node('MatMul', [graph.input('x', 'float32', [-1, width]), graph.constant('w', weights)]);
  graph.output('y', product, 'float32', [-1, 1]);
  return graph.serialize();
}

describe('parley publish', function () {
  this.timeout(60_000);
  const place = placeForEach();
  const file = (name: string, bytes: Uint8Array): string => {
    const path = join(place().root, name);
    writeFileSync(path, bytes);
    return path;
  };

  it('prints what the graph takes and gives, its type, its version and what comes next', async () => {
    const graph = file('sum.onnx', graphOf(3));
    const { code, stdout, stderr } = await place().run('publish', graph, '--model', 'sum', '--description', 'by hand');
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/input +x +float32 +\(any, 3\)\noutput +y +float32 +\(any, 1\)\n/);
    const [, version] = /^version ([0-9a-f]{64})$/m.exec(stdout)!;
    expect(stdout).to.match(/^tensor, \d+ bytes, published as a version of "sum"$/m);
    expect(stderr).to.include(`next: parley promote sum ${version.slice(0, 12)}`);
    const [listed] = await place().json<ModelVersion[]>('versions', 'sum');
    expect(listed).to.include({ version, modelType: 'tensor', description: 'by hand' });
    await place().output('promote', 'sum', version.slice(0, 12));
    const [line] = await place().json<LedgerEntry[]>('history', 'sum');
    expect(line).to.include({ action: 'promote', version, reason: 'uncontracted' });
  });

  it('makes the same version through a server, of a file of several parts', async () => {
    const graph = file('wide.onnx', graphOf(700_000));
    const server = await place().serve();
    const there = await place().json<Published>('publish', graph, '--model', 'wide', '--server', server.address);
    expect(there.signature).to.deep.equal({
      inputs: [{ name: 'x', dataType: 'float32', shape: [-1, 700_000] }],
      outputs: [{ name: 'y', dataType: 'float32', shape: [-1, 1] }],
    });
    expect(there.version.sizeBytes).to.be.above(2 << 20);
    const here = await place().json<Published>('publish', graph, '--model', 'again');
    expect(here.version.version).to.equal(there.version.version);
    expect(here.signature).to.deep.equal(there.signature);
  });

  it('goes on with what is missing when its connection breaks', async () => {
    const graph = file('large.onnx', graphOf(5_000_000));
    const proxy = await BreakingProxy.listen(await place().serve());
    try {
      proxy.breakAfterBytes = 12 << 20;
      const { host, port } = proxy.address;
      const { version } = await place().json<Published>(
        'publish',
        graph,
        '--model',
        'large',
        '--server',
        `${host}:${port}`,
      );
      expect(version.sizeBytes).to.be.above(20_000_000);
      expect(proxy.breaks).to.equal(1);
      // From the start it would be 32.
      expect(proxy.sentBytes).to.be.below(28_000_000);
    } finally {
      await proxy.close();
    }
  });

  it('says what is wrong with the file', async () => {
    const wrong = [
      [join(place().root, 'none.onnx'), 'NOT_FOUND', 'there is no file'],
      [place().root, 'INVALID_INPUT', 'is not a file'],
      [file('empty.onnx', new Uint8Array()), 'INVALID_INPUT', 'is empty'],
      [file('text.onnx', Buffer.from('plain text')), 'MODEL_BROKEN', 'not an ONNX file'],
      [file('short.onnx', graphOf(3).subarray(0, -5)), 'MODEL_BROKEN', 'cut short'],
    ] as const;
    for (const [path, code, says] of wrong)
      expectRefusal(await place().run('publish', path, '--model', 'sum'), code, says);
    const graph = file('sum.onnx', graphOf(3));
    const asked = await place().run('publish', graph, '--model', 'sum', '--contract', 'Sums');
    expectRefusal(asked, 'NOT_FOUND', 'model "sum" has no contract', 'parley contract publish');
    expectRefusal(await place().run('publish', graph, '--model', 'a b'), 'INVALID_INPUT', "is not a model's name");
  });
});
