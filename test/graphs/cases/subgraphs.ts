/** If, Loop, Scan, sequences and optionals inside, and functions of the file's own. */
import {
  file,
  graph,
  localFunction,
  node,
  optionalOf,
  sequenceOf,
  storedBool,
  storedFloats,
  storedInt,
  storedInts,
  tensorOf,
} from '../onnx.js';
import { BROKEN, bool, type Cases, floats, INVALID, ints, UNSUPPORTED } from './case.js';

const rows = tensorOf('float32', ['n']);
const three = floats([3], 1, -2, 4);

const branch = (operator: string, inputs: string[], output: string, type = rows, more: Uint8Array[] = []) => ({
  graph: graph({ nodes: [...more, node(operator, inputs, [output])], outputs: [[output, type]] }),
});

/** What `If` gives has the extents of the branch that was taken. */
const differing = (output: Uint8Array) =>
  file({
    nodes: [
      node('If', ['choose'], ['y'], {
        then_branch: branch('Unsqueeze', ['x', 'axis'], 'row', tensorOf('float32', [1, 'n'])),
        else_branch: branch('Neg', ['x'], 'flat'),
      }),
    ],
    constants: [storedInts('axis', 0)],
    inputs: [
      ['choose', tensorOf('bool', [])],
      ['x', rows],
    ],
    outputs: [['y', output]],
  });

/** y grows by x in each turn; `turns` gives 0, 1, 2 … of the turns. */
const growing = file({
  nodes: [
    node('Loop', ['times', '', 'x'], ['y', 'turns'], {
      body: {
        graph: graph({
          nodes: [
            node('Concat', ['before', 'x'], ['after'], { axis: 0 }),
            node('Identity', ['go'], ['on']),
            node('Identity', ['turn'], ['said']),
          ],
          inputs: [
            ['turn', tensorOf('int64', [])],
            ['go', tensorOf('bool', [])],
            ['before', rows],
          ],
          outputs: [
            ['on', tensorOf('bool', [])],
            ['after', rows],
            ['said', tensorOf('int64', [])],
          ],
        }),
      },
    }),
  ],
  inputs: [
    ['times', tensorOf('int64', [])],
    ['x', rows],
  ],
  outputs: [
    ['y', tensorOf('float32', ['m'])],
    ['turns', tensorOf('int64', ['t'])],
  ],
});

/** Ends when the value is over a hundred; zero never is, so it has a bound. */
const doublingUntil = file({
  nodes: [
    node('Loop', ['most', 'yes', 'x'], ['y'], {
      body: {
        graph: graph({
          nodes: [node('Add', ['a', 'a'], ['b']), node('Less', ['b', 'hundred'], ['on'])],
          inputs: [
            ['turn', tensorOf('int64', [])],
            ['go', tensorOf('bool', [])],
            ['a', tensorOf('float32', [1])],
          ],
          outputs: [
            ['on', tensorOf('bool', [1])],
            ['b', tensorOf('float32', [1])],
          ],
        }),
      },
    }),
  ],
  constants: [storedInt('most', 20), storedBool('yes', true), storedFloats('hundred', 100)],
  inputs: [['x', tensorOf('float32', [1])]],
  outputs: [['y', tensorOf('float32', [1])]],
});

/** Running sums over the first axis. */
const sums = file({
  nodes: [
    node('Scan', ['zero', 'x'], ['total', 'y'], {
      body: {
        graph: graph({
          nodes: [node('Add', ['sum', 'row'], ['next']), node('Identity', ['next'], ['each'])],
          inputs: [
            ['sum', tensorOf('float32', [2])],
            ['row', tensorOf('float32', [2])],
          ],
          outputs: [
            ['next', tensorOf('float32', [2])],
            ['each', tensorOf('float32', [2])],
          ],
        }),
      },
      num_scan_inputs: 1,
    }),
  ],
  constants: [storedFloats('zero', 0, 0)],
  inputs: [['x', tensorOf('float32', ['n', 2])]],
  outputs: [
    ['total', tensorOf('float32', [2])],
    ['y', tensorOf('float32', ['n', 2])],
  ],
});

/** An If in a Loop's body, both reading values of the graph around them. */
const nested = file({
  nodes: [
    node('Loop', ['times', '', 'x'], ['y'], {
      body: {
        graph: graph({
          nodes: [
            node('Mod', ['turn', 'two'], ['rest']),
            node('Equal', ['rest', 'zero'], ['even']),
            node('If', ['even'], ['after'], {
              then_branch: branch('Add', ['before', 'x'], 'more'),
              else_branch: branch('Neg', ['before'], 'less'),
            }),
            node('Identity', ['go'], ['on']),
          ],
          inputs: [
            ['turn', tensorOf('int64', [])],
            ['go', tensorOf('bool', [])],
            ['before', rows],
          ],
          outputs: [
            ['on', tensorOf('bool', [])],
            ['after', rows],
          ],
        }),
      },
    }),
  ],
  constants: [storedInt('two', 2), storedInt('zero', 0)],
  inputs: [
    ['times', tensorOf('int64', [])],
    ['x', rows],
  ],
  outputs: [['y', rows]],
});

const DOMAIN = 'org.example';
const OPSETS = { '': 21, [DOMAIN]: 1 };

export const SUBGRAPHS: Cases = {
  'If whose branches give other ranks than is declared': {
    graph: differing(tensorOf('float32', [undefined])),
    asked: [true, false].map((choose) => ({ choose: bool(choose), x: three })),
  },
  'If whose branches give other ranks, so that none is declared': {
    graph: differing(tensorOf('float32')),
    asked: [],
    refused: UNSUPPORTED(/output "y" has no shape/),
  },
  'If in whose branches an extent differs': {
    graph: file({
      nodes: [
        node('If', ['choose'], ['y'], {
          then_branch: branch('Identity', ['pair'], 'two', tensorOf('float32', [2])),
          else_branch: branch('Identity', ['triple'], 'three', tensorOf('float32', [3])),
        }),
      ],
      constants: [storedFloats('pair', 1, 2), storedFloats('triple', 3, 4, 5)],
      inputs: [['choose', tensorOf('bool', [])]],
      outputs: [['y', tensorOf('float32', [undefined])]],
    }),
    asked: [{ choose: bool(true) }, { choose: bool(false) }],
  },
  'Loop that grows its value': {
    graph: growing,
    asked: [0, 1, 5].map((times) => ({ times: ints([], times), x: three })),
  },
  'Loop that ends by its condition': { graph: doublingUntil, asked: [{ x: floats([1], 3) }, { x: floats([1], 70) }] },
  'Scan of running sums': {
    graph: sums,
    asked: [{ x: floats([3, 2], 1, 2, 3, 4, 5, 6) }, { x: floats([1, 2], 1, 2) }],
    refusedCalls: [
      { inputs: { x: floats([0, 2]) }, ...INVALID(/the inputs cannot be computed with: .*Scan.*Dimension 0 is 0/) },
    ],
  },
  'If in a Loop, reading from outside': {
    graph: nested,
    asked: [0, 1, 2, 3].map((times) => ({ times: ints([], times), x: three })),
  },
  'a sequence inside': {
    graph: file({
      nodes: [
        node('SplitToSequence', ['x'], ['parts'], { axis: 0, keepdims: 1 }),
        node('SequenceAt', ['parts', 'at'], ['y']),
      ],
      inputs: [
        ['x', rows],
        ['at', tensorOf('int64', [])],
      ],
      outputs: [['y', tensorOf('float32', [1])]],
    }),
    asked: [
      { x: three, at: ints([], 1) },
      { x: three, at: ints([], -1) },
    ],
    refusedCalls: [
      { inputs: { x: three, at: ints([], 3) }, ...INVALID(/the inputs cannot be computed with: .*SequenceAt/) },
    ],
  },
  'a sequence as an output': {
    graph: file({
      nodes: [node('SplitToSequence', ['x'], ['y'], { axis: 0 })],
      inputs: [['x', rows]],
      outputs: [['y', sequenceOf(tensorOf('float32', [1]))]],
    }),
    asked: [],
    refused: UNSUPPORTED(/output "y" is a sequence/),
  },
  'a sequence as an input': {
    graph: file({
      nodes: [node('ConcatFromSequence', ['x'], ['y'], { axis: 0 })],
      inputs: [['x', sequenceOf(rows)]],
      outputs: [['y', rows]],
    }),
    asked: [],
    refused: UNSUPPORTED(/input "x" is a sequence/),
  },
  'an optional inside': {
    graph: file({
      nodes: [
        node('Optional', ['x'], ['held']),
        node('OptionalHasElement', ['held'], ['has']),
        node('OptionalGetElement', ['held'], ['y']),
      ],
      inputs: [['x', rows]],
      outputs: [
        ['has', tensorOf('bool', [])],
        ['y', rows],
      ],
    }),
    asked: [{ x: three }],
  },
  'an optional as an input': {
    graph: file({
      nodes: [node('OptionalHasElement', ['x'], ['y'])],
      inputs: [['x', optionalOf(rows)]],
      outputs: [['y', tensorOf('bool', [])]],
    }),
    asked: [],
    refused: UNSUPPORTED(/input "x" is an optional/),
  },
  'functions of its own, one calling the other, with an attribute': {
    graph: file({
      opsets: OPSETS,
      functions: [
        localFunction(DOMAIN, 'Twice', ['a'], ['b'], [node('Add', ['a', 'a'], ['b'])]),
        localFunction(
          DOMAIN,
          'JoinTwice',
          ['a', 'b'],
          ['c'],
          [
            node('Twice', ['a'], ['aa'], {}, DOMAIN),
            node('Concat', ['aa', 'b'], ['c'], { axis: { reference: 'along' } }),
          ],
          { attributes: ['along'], opsets: OPSETS },
        ),
      ],
      nodes: [node('JoinTwice', ['x', 'x'], ['y'], { along: 1 }, DOMAIN)],
      inputs: [['x', tensorOf('float32', ['n', 2])]],
      outputs: [['y', tensorOf('float32', ['n', 4])]],
    }),
    asked: [{ x: floats([2, 2], 1, 2, 3, 4) }],
  },
  'a function that is not there': {
    graph: file({
      opsets: OPSETS,
      functions: [localFunction(DOMAIN, 'Twice', ['a'], ['b'], [node('Add', ['a', 'a'], ['b'])])],
      nodes: [node('Thrice', ['x'], ['y'], {}, DOMAIN)],
      inputs: [['x', rows]],
      outputs: [['y', rows]],
    }),
    asked: [],
    refused: BROKEN(/the runtime refuses the graph: .*Thrice/),
  },
};
