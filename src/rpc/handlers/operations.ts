/** `Operations` of idl/parley.thrift: is the server well, and what does it promise. */
import types from '../../../gen/parley_types.js';
import type { Contract } from '../../contract/contract.js';
import { notFound } from '../../errors.js';
import type { Negotiator } from '../../registry/negotiation/negotiator.js';
import type { Grant } from '../../security/grant.js';
import type { Router } from '../../serving/router.js';
import { differenceToWire, includesFromWire } from '../contract-mapping.js';
import { GENERIC_SERVICES, type Handlers } from '../generated.js';
import type { Wire } from '../registry-mapping.js';
import { guarded } from './registry.js';

/** @param genericIdl the text of parley.thrift, which is the whole catalogue's first part */
export function operationsHandlers(parts: {
  router: Router;
  negotiator: Negotiator;
  serverVersion: string;
  genericIdl: string;
}): Handlers {
  const { router, negotiator, serverVersion, genericIdl } = parts;
  return guarded({
    async ping(_request: Wire<types.PingRequest>, who?: Grant) {
      // Whoever has shown no token learns that there is a server.
      if (who?.mask === 0) return new types.PingResponse({ ready: true });
      return new types.PingResponse({
        server_version: serverVersion,
        ready: true,
        store_connected: router.connected,
        services: [...GENERIC_SERVICES, ...servicesFor(router, who).keys()],
        store_heard_seconds_ago: router.sinceHeardMs / 1000,
        lagging_models: router.lagging.filter((model) => who?.mayUse(model) ?? true),
      });
    },

    async contract(request: Wire<types.ContractRequest>, who?: Grant) {
      const services = servicesFor(router, who),
        name = request.service_name || undefined;
      if (name !== undefined && !services.has(name))
        throw notFound(
          `there is no service "${name}"; the contracts in force serve ${[...services.keys()].join(', ') || 'none yet: publish one with "parley contract publish PROJECT"'}`,
        );
      const named = name === undefined ? undefined : services.get(name)!.contract;
      if (typeof request.idl === 'string')
        return negotiated(negotiator, request, named ?? [...services.values()].map(({ contract }) => contract));
      if (named !== undefined) return new types.ContractResponse(textOf(named) as never);
      const texts = [genericIdl, ...new Set([...services.values()].map(({ contract }) => contract.idl))];
      return new types.ContractResponse({ idl: texts.join('\n') } as never);
    },
  });
}

const textOf = ({ idl, fingerprint, includes }: Contract) => ({ idl, fingerprint, includes });

/** What is served, and whether a caller that was compiled with its own text can talk to it. */
async function negotiated(
  negotiator: Negotiator,
  request: Wire<types.ContractRequest>,
  among: Contract | readonly Contract[],
): Promise<types.ContractResponse> {
  const contracts = [...new Set([among].flat())] as readonly Contract[];
  const answer = await negotiator.ask({
    callers: { file: 'request.idl', idl: request.idl!, includes: includesFromWire(request.includes) },
    ...(request.service_name ? { service: request.service_name } : {}),
    served: contracts.map(({ file, idl, includes }) => ({ file, idl, includes })),
  });
  const served = answer.served === undefined ? undefined : contracts[answer.served];
  return new types.ContractResponse({
    ...(served === undefined ? {} : textOf(served)),
    compatible: answer.compatible,
    differences: answer.differences.map(differenceToWire),
  } as never);
}

/** The typed services of the models that the caller may use. */
function servicesFor({ services }: Router, who: Grant | undefined): Router['services'] {
  if (who?.models === undefined) return services;
  return new Map([...services].filter(([, { service }]) => who.mayUse(service.model)));
}
