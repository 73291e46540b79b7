/** Thrift's separators where the npm parser wants others: it knows them neither behind declarations nor left out of constants. */
import { SyntaxType, type Token } from '@creditkarma/thrift-parser';

const OPENING = new Set<SyntaxType>([
  SyntaxType.LeftBraceToken,
  SyntaxType.LeftBracketToken,
  SyntaxType.LeftParenToken,
  SyntaxType.LessThanToken,
]);
const CLOSING = new Set<SyntaxType>([
  SyntaxType.RightBraceToken,
  SyntaxType.RightBracketToken,
  SyntaxType.RightParenToken,
  SyntaxType.GreaterThanToken,
]);
const VALUES = new Set<SyntaxType>([
  SyntaxType.Identifier,
  SyntaxType.StringLiteral,
  SyntaxType.IntegerLiteral,
  SyntaxType.HexLiteral,
  SyntaxType.FloatLiteral,
  SyntaxType.ExponentialLiteral,
  SyntaxType.TrueKeyword,
  SyntaxType.FalseKeyword,
]);

/** The same declarations: without separators between them, and with commas between the elements of constants. */
export function mendSeparators(tokens: readonly Token[]): Token[] {
  const mended: Token[] = [];
  /** For each open bracket or brace, whether it holds a constant's elements. */
  const open: boolean[] = [];
  for (const token of tokens) {
    const { type } = token;
    const last = mended.at(-1)?.type;
    const isSeparator = type === SyntaxType.CommaToken || type === SyntaxType.SemicolonToken;
    if (isSeparator && open.length === 0) continue;
    const startsValue =
      VALUES.has(type) ||
      type === SyntaxType.MinusToken ||
      type === SyntaxType.LeftBracketToken ||
      type === SyntaxType.LeftBraceToken;
    const endsValue =
      last !== undefined &&
      (VALUES.has(last) || last === SyntaxType.RightBracketToken || last === SyntaxType.RightBraceToken);
    if (open.at(-1) === true && startsValue && endsValue)
      mended.push({ ...token, type: SyntaxType.CommaToken, text: ',' });
    if (OPENING.has(type)) open.push(holdsElements(type, last, open.at(-1) === true));
    if (CLOSING.has(type)) open.pop();
    // Thrift takes a semicolon wherever it takes a comma.
    const isComma = type === SyntaxType.SemicolonToken && open.at(-1) === true;
    mended.push(isComma ? { ...token, type: SyntaxType.CommaToken, text: ',' } : token);
  }
  return mended;
}

function holdsElements(type: SyntaxType, last: SyntaxType | undefined, isInside: boolean): boolean {
  if (type === SyntaxType.LeftBracketToken) return true;
  if (type !== SyntaxType.LeftBraceToken) return false;
  return isInside || last === SyntaxType.EqualToken;
}
