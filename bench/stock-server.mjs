/**
 * What the `thrift` package's own server does with the same bytes: framed, binary, Prediction.predict of idl/parley.thrift
 * by the generated processor. Without an argument it runs no model and answers with the request's first eight bytes of data;
 * with one, JSON { file, input, output, row }, it runs the graph by onnxruntime-node's public `run`, as its documentation shows.
 */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import thrift from 'thrift';
import Prediction from '../gen/Prediction.js';
import { PredictResponse, Provenance, Tensor } from '../gen/parley_types.js';

const version = 'e'.repeat(64);
let count = 0;

const predict = process.argv[2] === undefined ? echo : await runner(JSON.parse(process.argv[2]));

async function echo(request) {
  return [1, 2, request.inputs[0].data.subarray(0, 8)];
}

async function runner({ file, input, output, row }) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const width = row.reduce((product, extent) => product * extent, 1);
  return async (request) => {
    const { data } = request.inputs[0];
    const values = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
    const feeds = { [input]: new RuntimeTensor('float32', values, [values.length / width, ...row]) };
    const { dims, data: answer } = (await session.run(feeds, [output]))[output];
    return [...dims, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)];
  };
}

const server = thrift.createServer(
  Prediction,
  {
    predict: async (request, done) => {
      const answer = await predict(request);
      const provenance = new Provenance({
        prediction_id: String(count++).padStart(20, '0'),
        model: request.model,
        version,
        alias_name: 'production',
        queue_us: 1,
        compute_us: 1,
      });
      const output = new Tensor({
        name: 'probabilities',
        data_type: 1,
        shape: answer.slice(0, -1),
        data: answer.at(-1),
      });
      done(null, new PredictResponse({ provenance, outputs: [output] }));
    },
  },
  { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol },
);
// A connection that the generator drops is no reason to end.
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  console.log(JSON.stringify({ pid: process.pid, thrift: { host: '127.0.0.1', port } }));
});
