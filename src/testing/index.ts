/**
 * `parley/testing`: a project's acceptance suite as the tests of any runner that has `describe` and `it`.
 *
 * ```js
 * import { acceptance } from 'parley/testing';
 *
 * acceptance('examples/penguins', { file: 'penguins.onnx' });
 * ```
 */
export { type AcceptanceOptions, acceptance } from './acceptance.js';
export { junitOf } from './junit.js';
export { markdownOf } from './markdown.js';
export type { ReportedCriterion, SuiteReport } from './report.js';
export type { Runner } from './runner.js';
export type { FileSubject, ServerSubject, Subject, VersionSubject } from './subject.js';
