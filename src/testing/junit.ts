/**
 * A report as JUnit's XML, which CI systems read: a suite with a test case a criterion. Pure.
 *
 * Nothing of the time of running is in it: the same report makes the same bytes.
 */
import { measuredText } from './explanation.js';
import type { ReportedCriterion, SuiteReport } from './report.js';

export function junitOf(report: SuiteReport): string {
  const { criteria, model, subject } = report;
  const counts = `tests="${criteria.length}" failures="${criteria.filter(({ passed }) => !passed).length}" errors="0"`;
  const properties = [
    ['accepted', String(report.accepted)],
    ['subject', subject],
    ...report.versions.map((version) => ['version', version] as const),
    ['contract', report.contractFingerprint],
    ['fixtures', report.fixtureFingerprint],
    ['fixture_rows', String(report.fixtureRows)],
  ] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escaped(`acceptance of ${model}, ${subject}`)}" ${counts} skipped="0">`,
    '    <properties>',
    ...properties.map(([name, value]) => `      <property name="${name}" value="${escaped(value)}"/>`),
    '    </properties>',
    ...criteria.map((criterion) => caseOf(model, criterion)),
    ...(report.warnings.length === 0 ? [] : [`    <system-err>${escaped(report.warnings.join('\n'))}</system-err>`]),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseOf(model: string, criterion: ReportedCriterion): string {
  const head = `    <testcase classname="${escaped(`acceptance.${model}`)}" name="${escaped(criterion.title)}"`;
  if (criterion.passed) return `${head}/>`;
  const message = `${criterion.bound}, measured ${measuredText(criterion)}`;
  return `${head}>
      <failure type="acceptance" message="${escaped(message)}">${escaped(criterion.explanation ?? message)}</failure>
    </testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A parser would make spaces of them in an attribute.
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 has no way to hold, lone halves of a pair among them. */
const IMPOSSIBLE =
  /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\ud800-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (text: string): string =>
  text.replace(IMPOSSIBLE, '\ufffd').replace(/[&<>"'\n\t\r]/g, (character) => ENTITIES[character]!);
