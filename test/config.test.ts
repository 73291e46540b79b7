import { expect } from 'chai';
import { defaultMemoryLimit, parseSize, requireContract } from '#parley/config.js';

describe('a size', () => {
  for (const [text, bytes] of [
    ['300000', 300_000],
    ['512k', 512_000],
    ['512KB', 512_000],
    ['1.5M', 1_500_000],
    ['2g', 2e9],
    ['64KiB', 65_536],
    ['64Ki', 65_536],
    ['2GiB', 2 ** 31],
    ['0.5 MiB', 2 ** 19],
    ['1T', 1e12],
  ] as const) {
    it(`of ${text} is ${bytes} bytes`, () => expect(parseSize(text)).to.equal(bytes));
  }

  for (const text of ['', '0', '-1', 'GiB', '2 GiB each', '1i', '1e3', '2GB/s', '0x10', '9999999T'])
    it(`is not "${text}"`, () => expect(parseSize(text)).to.equal(undefined));

  it('is by default some of the memory that there is', () => {
    expect(defaultMemoryLimit()).to.be.above(1 << 20);
    expect(Number.isSafeInteger(defaultMemoryLimit())).to.equal(true);
  });
});

describe('whether contracts are required', () => {
  const PARLEY_REQUIRE_CONTRACT = (value: string) => ({ PARLEY_REQUIRE_CONTRACT: value });

  it('is what the flag says, then the environment, and no by default', () => {
    expect(requireContract(undefined, {})).to.equal(false);
    expect(requireContract(undefined, PARLEY_REQUIRE_CONTRACT(''))).to.equal(false);
    for (const yes of ['true', '1', 'YES'])
      expect(requireContract(undefined, PARLEY_REQUIRE_CONTRACT(yes))).to.equal(true);
    for (const no of ['false', '0', 'no'])
      expect(requireContract(undefined, PARLEY_REQUIRE_CONTRACT(no))).to.equal(false);
    expect(requireContract(true, PARLEY_REQUIRE_CONTRACT('false'))).to.equal(true);
  });

  it('is not guessed', () => {
    expect(() => requireContract(undefined, PARLEY_REQUIRE_CONTRACT('maybe'))).to.throw(
      '"maybe"; it must be true or false',
    );
  });
});
