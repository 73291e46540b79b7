import { expect } from 'chai';
import { readIdl } from '#parley/contract/read-idl.js';

const constants = (idl: string) =>
  Object.fromEntries([...readIdl({ file: 'a.thrift', idl }).constants.values()].map(({ name, text }) => [name, text]));

describe('mendSeparators', () => {
  it('takes lists and maps without commas, as Thrift does', () => {
    const text = `const list<i32> A = [1 2, 3 -4]
      const map<string, list<i32>> B = { "x": [1] "y": [2 3]; "z": [] }`;
    expect(constants(text)).to.deep.equal({ A: '[1, 2, 3, -4]', B: '{"x": [1], "y": [2, 3], "z": []}' });
  });

  it('takes separators behind declarations', () => {
    const { structs, typedefs } = readIdl({
      file: 'a.thrift',
      idl: 'typedef map<i32, string> M;\nstruct S { 1: M m };\n',
    });
    expect([...structs.keys(), ...typedefs.keys()]).to.deep.equal(['S', 'M']);
  });
});
