/** A Cargo crate. */
import { minorOf, readme, type StubLanguage } from './language.js';

export const rust: StubLanguage = {
  generator: () => 'rs',
  sources: () => 'src',
  files: (making, generated) => {
    const { dashed, snake, compiler, contract } = making;
    const modules = generated.map((path) => path.replace(/\.rs$/, ''));
    const own = contract.file.replace(/^.*[/\\]/, '').replace(/\.thrift$/, '');
    const code = `use ${snake}_stubs::{parley::*, ${moduleName(own)}::*};
use thrift::protocol::{TBinaryInputProtocol, TBinaryOutputProtocol, TMultiplexedOutputProtocol};
use thrift::transport::{TFramedReadTransport, TFramedWriteTransport, TIoChannel, TTcpChannel};
use thrift::OrderedFloat;

${making.example('Rust')}`;
    return new Map([
      [
        'Cargo.toml',
        `[package]
name = "${dashed}-stubs"
version = "0.1.0"
edition = "2021"
description = "Stubs of contract ${contract.fingerprint.slice(0, 12)} of model ${contract.model}"

[lib]
name = "${snake}_stubs"

[dependencies]
thrift = { version = "~${minorOf(compiler)}.0" }
`,
      ],
      ['src/lib.rs', `${modules.map((name) => `pub mod ${name};`).join('\n')}\n`],
      [
        'README.md',
        readme(making, 'Rust', `cargo add --path ./rust && cargo add thrift@~${minorOf(compiler)}.0`, 'rust', code),
      ],
    ]);
  },
};

/** The compiler names a module by the file, in small letters. */
const moduleName = (file: string): string =>
  file
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
