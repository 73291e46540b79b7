/** A report as Markdown, for a pull request's comment or a build's summary. Pure. */
import { measuredText } from './explanation.js';
import type { ReportedCriterion, SuiteReport } from './report.js';

export function markdownOf(report: SuiteReport): string {
  const { criteria, model, subject, versions } = report;
  const passed = criteria.filter((criterion) => criterion.passed).length;
  const failed = criteria.filter((criterion) => !criterion.passed);
  return [
    `## ${escaped(model)} is ${report.accepted ? '' : 'not '}accepted`,
    '',
    `${passed} of ${criteria.length} criteria passed on ${report.fixtureRows} fixtures: ${escaped(subject)}.`,
    '',
    '| | criterion | measured |',
    '| --- | --- | --- |',
    ...criteria.map(row),
    '',
    ...failed.flatMap(details),
    ...report.warnings.flatMap((warning) => [`> Note: ${escaped(warning)}`, '']),
    `Contract \`${report.contractFingerprint}\`, fixtures \`${report.fixtureFingerprint}\`${versions.map((version) => `, version \`${version}\``).join('')}.`,
    '',
  ].join('\n');
}

const row = (criterion: ReportedCriterion): string =>
  `| ${criterion.passed ? 'passed' : '**FAILED**'} | ${escaped(criterion.title)} | ${escaped(measuredText(criterion))} |`;

function details({ title, explanation, wrong }: ReportedCriterion): string[] {
  if (explanation === undefined || wrong === undefined || wrong.count === 0) return [];
  const fence = '`'.repeat(Math.max(3, ...[...explanation.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return [`<details><summary>${escaped(title)}</summary>`, '', fence, explanation, fence, '', '</details>', ''];
}

/** Marks that would end a cell, begin markup or be a tag. */
const escaped = (text: string): string =>
  text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!)
    .replace(/[\\`*_{}[\]|#~]/g, '\\$&');
