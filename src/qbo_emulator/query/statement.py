"""Reading a SELECT statement; what cannot be read is fault 4000, what makes no sense is 4001.

Tolerant of what clients send (ORDER BY with a blank, column lists, quoted numbers, any case, the two paging clauses in
either order); strict mode refuses what the documentation does not have.
"""

import re
from dataclasses import dataclass, field

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault

rule(
    "query.grammar",
    "SELECT * or COUNT(*), WHERE with AND, =, <, >, <=, >=, IN, LIKE, ORDERBY, STARTPOSITION, MAXRESULTS",
    Mark.DOCUMENT,
    "Intuit data queries",
)
rule(
    "query.tolerance",
    "ORDER BY, column lists, !=, STARTPOSITION 0, any case of names, quoted numbers and booleans",
    Mark.REPORT,
    "what public clients send and take for granted",
)
rule("query.escape", r"A quote inside text is written \'", Mark.RECORDING, "recorded query by display name")
rule("query.faults", "4000 with QueryParserError and 4001 with QueryValidationError", Mark.RECORDING, "recorded faults")

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<symbol><=|>=|!=|=|<|>|\(|\)|,|\*)
      | (?P<word>[A-Za-z_][\w.]*|-?\d[\w.:+-]*)
    )""",
    re.VERBOSE,
)
_OPERATORS = frozenset({"=", "!=", "<", ">", "<=", ">="})
LONGEST = 20_000
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Statement:
    entity: str
    count: bool = False
    where: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    start: int = 1
    limit: int = 100


def parser_error(detail: str) -> Fault:
    return Fault(4000, f"QueryParserError: {detail}")


def validation_error(detail: str) -> Fault:
    return Fault(4001, f"QueryValidationError: {detail}")


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise parser_error("The query is too long")
    tokens: list[str] = []
    place = 0
    text = text.strip().rstrip(";").rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise parser_error(f'Encountered " "{text[place : place + 20]}"" at line 1, column {place + 1}.')
        tokens.append(match.group(0).strip())
        place = match.end()
    return tokens


class _Reader:
    """Walks the tokens of one statement."""

    def __init__(self, text: str, *, strict: bool) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._strict = strict
        self._seen: set[str] = set()

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise parser_error('Encountered "<EOF>" where more was expected.')
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        if self._peek().upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        token = self._next()
        if token.upper() != word:
            raise parser_error(f'Encountered " "{token[:40]}"" where {word} was expected.')

    def read(self) -> Statement:
        self._expect("SELECT")
        count = self._columns()
        self._expect("FROM")
        statement = Statement(self._next(), count=count)
        if self._take("WHERE"):
            statement.where.append(self._condition())
            while self._take("AND"):
                statement.where.append(self._condition())
        while self._peek():
            self._clause(statement)
        return statement

    def _columns(self) -> bool:
        if self._take("COUNT"):
            for sign in ("(", "*", ")"):
                self._expect(sign)
            return True
        while self._peek().upper() != "FROM":
            token = self._next()
            if token.startswith("'") or token in _OPERATORS or token in {"(", ")"}:
                raise parser_error(f'Encountered " "{token[:40]}"" in the list of columns.')
        return False

    def _condition(self) -> Condition:
        name = self._next()
        operator = self._next().upper()
        if operator == "IN":
            self._expect("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._expect(")")
            return Condition(name, operator, tuple(values))
        if operator not in _OPERATORS and operator != "LIKE":
            raise parser_error(f'Encountered " "{operator[:40]}"" where an operator was expected.')
        if operator == "!=" and self._strict:
            raise parser_error('Encountered " "!="" where an operator was expected.')
        return Condition(name, operator, (self._value(),))

    def _value(self) -> str:
        token = self._next()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token in {"(", ")", ",", "*"} or token in _OPERATORS:
            raise parser_error(f'Encountered " "{token}"" where a value was expected.')
        return token

    def _clause(self, statement: Statement) -> None:
        word = self._next().upper()
        if word == "ORDER" and not self._strict:
            self._expect("BY")
            word = "ORDERBY"
        if word in self._seen:
            raise parser_error(f'Encountered " "{word}"" a second time.')
        self._seen.add(word)
        if word == "ORDERBY":
            statement.order.append(self._order())
            while self._take(","):
                statement.order.append(self._order())
        elif word == "STARTPOSITION":
            statement.start = max(1, self._number(lowest=1 if self._strict else 0))
        elif word == "MAXRESULTS":
            statement.limit = self._limit()
        else:
            raise parser_error(f'Encountered " "{word[:40]}"" where the end of the query was expected.')

    def _limit(self) -> int:
        wanted = self._number(lowest=1)
        if wanted > LARGEST_PAGE and self._strict:
            raise validation_error(f"value {wanted} is too large. Max allowed value is {LARGEST_PAGE}")
        return min(LARGEST_PAGE, wanted)

    def _order(self) -> tuple[str, bool]:
        name = self._next()
        if self._take("DESC"):
            return name, True
        self._take("ASC")
        return name, False

    def _number(self, *, lowest: int) -> int:
        token = self._value()
        if not (token.isascii() and token.isdigit()) or len(token) > 9:
            raise parser_error(f'Encountered " "{token[:40]}"" where a number was expected.')
        if int(token) < lowest:
            raise validation_error(f"value {int(token)} is too small. Min allowed value is {lowest}")
        return int(token)


def read_statement(text: str, *, strict: bool = False) -> Statement:
    """Raises Fault 4000 or 4001."""
    return _Reader(text, strict=strict).read()
