/** The stages of a run, as its watchers see them. */
export type Stage = 'read' | 'features' | 'fit' | 'evaluate';

export interface Progress {
  readonly stage: Stage;
  /** 0 to 1, of this stage; 0 while it cannot be known. */
  readonly fraction: number;
  /** For people. */
  readonly message: string;
}
