/** What one caller may do: a token's, or everybody's. */
import { permissionDenied } from '../errors.js';
import { maskOf, type Role } from './roles.js';

/** Refused calls by reason. Plain numbers, read by whoever shows them. */
export interface Refusals {
  /** A call that needs a token and had none. */
  missing: number;
  unknown: number;
  expired: number;
  /** A token without the role. */
  role: number;
  /** A token for other models. */
  model: number;
}

export class Grant {
  readonly mask: number;

  /**
   * @param name whose changes they are in the ledger
   * @param models undefined: all of them
   */
  constructor(
    readonly name: string,
    readonly roles: readonly Role[],
    readonly models: ReadonlySet<string> | undefined,
    private readonly refusals: Refusals,
  ) {
    this.mask = maskOf(roles);
  }

  mayUse(model: string): boolean {
    return this.models === undefined || this.models.has(model);
  }

  /** @throws ParleyError PERMISSION_DENIED */
  checkModel(model: string): void {
    if (this.mayUse(model)) return;
    this.refusals.model++;
    throw permissionDenied(
      `token "${this.name}" is for ${[...this.models!].map((name) => `"${name}"`).join(', ')} and not for model "${model.slice(0, 64)}"`,
    );
  }

  /** For what concerns every model. @param instead what the caller can do @throws ParleyError PERMISSION_DENIED */
  checkAllModels(instead: string): void {
    if (this.models === undefined) return;
    this.refusals.model++;
    throw permissionDenied(
      `token "${this.name}" is for ${[...this.models].map((name) => `"${name}"`).join(', ')} only; ${instead}`,
    );
  }
}
