import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { METHOD_ROLES, neededFor, parseRoles, ROLES } from '#parley/security/roles.js';
import { failure } from '../store/world.js';

/** Every method of the IDL, as `Service:method`. */
function methodsOfIdl(): string[] {
  const idl = readFileSync('idl/parley.thrift', 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  return [...idl.matchAll(/^service (\w+) \{([\s\S]*?)^\}/gm)].flatMap(([, service, body]) =>
    [...body!.matchAll(/^ {2}\w+ (\w+)\(/gm)].map(([, method]) => `${service}:${method}`),
  );
}

describe('the roles of methods', () => {
  it('are said of every method of the IDL, and of no other', () => {
    expect(methodsOfIdl()).to.include.members(['Prediction:predict', 'Operations:ping']);
    expect(Object.keys(METHOD_ROLES).sort()).to.deep.equal(methodsOfIdl().sort());
  });

  it('leave to nobody but the administrator what they do not know, and to anybody only ping', () => {
    expect(neededFor('Registry:drop_everything').roles).to.deep.equal(['admin']);
    const free = methodsOfIdl().filter((method) => neededFor(method).mask === 0);
    expect(free).to.deep.equal(['Operations:ping']);
  });

  it('stand in docs/security.md as the table has them', () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const rows = new Map([...page.matchAll(/^\| `(\w+:\w+)` \| (.+) \|$/gm)].map(([, name, roles]) => [name, roles]));
    for (const method of methodsOfIdl()) {
      const roles = METHOD_ROLES[method]!;
      expect(rows.get(method), method).to.equal(roles.length === 0 ? 'none' : roles.join(', '));
    }
    expect(rows.size).to.equal(methodsOfIdl().length);
  });

  it('are read from a list, and a wrong one is told with the nearest', async () => {
    expect(parseRoles('registry, predict')).to.deep.equal(['predict', 'registry']);
    expect(parseRoles(ROLES.join(','))).to.deep.equal(ROLES);
    const refused = await failure((async () => parseRoles('predict,regstry'))());
    expect(refused.code).to.equal('INVALID_INPUT');
    expect(refused.message).to.include('"regstry"').and.include('did you mean "registry"');
  });
});
