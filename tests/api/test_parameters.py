"""What callers may write into a query, and what they are told of what they may not."""

from urllib.parse import quote, urlencode

import pytest

from api.filters import OF_EVENTS, OF_REQUESTS
from api.pages import PAGING
from api.parameters import read_parameters
from api.records import microseconds_of
from schemas.faults import FAULTS_MAX

KNOWN = {**OF_EVENTS, **OF_REQUESTS, **PAGING}
SQL = "' OR 1=1; DROP TABLE account; --"
ARABIC_DIGITS = "\u0661\u0662"
FORMAT, TYPE, ENUM, UNKNOWN = (
    "INVALID_FORMAT",
    "INVALID_TYPE",
    "INVALID_ENUM",
    "UNKNOWN_ATTRIBUTE",
)
BAD = [
    *((f"account={quote(text)}", FORMAT) for text in ("", SQL, "a b", "é", "a\n", "\0", "a" * 65)),
    *(
        (f"currency={quote(text)}", FORMAT)
        for text in ("eur", "EURO", "\uff25\uff35\uff32", "EUR\n", "E" * 10_000)
    ),
    *((f"q={quote(text)}", FORMAT) for text in ("", "\0", "a\x1fb", "\x7f", "\x85", "a" * 129)),
    *((f"q={raw}", FORMAT) for raw in ("%ff", "%c3%28", "%ed%a0%80", "%f0%82%82%ac")),
    *((f"usageType={quote(text)}", FORMAT) for text in ("\r\nX: y", "a" * 65, "a" * 10_000)),
    *((f"kind={quote(text)}", ENUM) for text in ("", "usage", "USAGE ", SQL, "U" * 10_000)),
    *((f"status={quote(text)}", ENUM) for text in ("rated", "RECEIVED,APPLIED")),
    *((f"limit={text}", FORMAT) for text in ("0", "-1", "201", "1000000000", "9" * 10_000)),
    *(
        (f"limit={quote(text)}", TYPE)
        for text in ("", "ten", "1.0", "1e1", "+1", " 1", "1_0", "01")
    ),
    *(
        (f"limit={quote(text)}", TYPE)
        for text in (ARABIC_DIGITS, "\uff11\uff10", "1\0", "0x1", "-0")
    ),
    *((f"minAmount={text}", FORMAT) for text in ("-1", str(10**15 + 1), "9" * 5000)),
    *((f"maxAmount={quote(text)}", TYPE) for text in ("12.10", SQL, "null", "NaN", ARABIC_DIGITS)),
    ("from=2026-11-01T00:00:00+01:00", FORMAT),  # its + is a space
    *(
        (f"from={quote(text)}", FORMAT)
        for text in (
            *("2026-11-01T00:00:00", "2026-11-01", "1793870000", "now", "2026-11-01 00:00:00Z"),
            *("2026-02-30T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T00:00:60Z"),
            *("2026-11-01T00:00:00+24:00", "0000-01-01T00:00:00Z", "٢026-11-01T00:00:00Z"),
            *("2026-11-01T00:00:00.1234567890Z", "2026-W45-1T00:00:00Z", "2026-11-01T00:00:00z"),
        )
    ),
    *((f"cursor={text}", FORMAT) for text in ("", "x", "e30", "W10", "AAAA", "%00", "a" * 10_000)),
    ("account=A&account=A", FORMAT),
    ("limit=1&limit=x", FORMAT),
    *((f"{quote(name)}=1", UNKNOWN) for name in ("Account", "usage_type", "q[]", "", "é", SQL)),
]


@pytest.mark.parametrize(("query", "code"), BAD, ids=lambda value: value[:40])
def test_what_does_not_fit_is_named_with_its_code(query: str, code: str) -> None:
    faults = read_parameters(query.encode(), KNOWN)

    assert isinstance(faults, tuple)
    (fault,) = faults
    assert (fault.code, query.startswith(quote(fault.field))) == (code, True)
    assert len(fault.message) < 500


def test_all_faults_are_named_at_once_in_the_order_of_the_codes() -> None:
    query = "limit=x&nothing=1&q=a&kind=x&account=&from=x&minAmount=-1&status=RATED&q=b"

    faults = read_parameters(query.encode(), KNOWN)

    assert [(fault.code, fault.field) for fault in faults if not isinstance(fault, str)] == [
        (TYPE, "limit"),
        (FORMAT, "account"),
        (FORMAT, "from"),
        (FORMAT, "minAmount"),
        (FORMAT, "q"),
        (ENUM, "kind"),
        (ENUM, "status"),  # RATED is a word of events, and here requests are searched
        (UNKNOWN, "nothing"),
    ]


def test_no_query_is_answered_with_more_faults_than_anybody_reads() -> None:
    faults = read_parameters("&".join(f"x{number}=" for number in range(1000)).encode(), KNOWN)

    assert len(faults) == FAULTS_MAX


def test_a_name_that_is_no_text_can_be_told() -> None:
    (fault,) = read_parameters(b"%ff=1", KNOWN)

    assert not isinstance(fault, str)
    assert fault.field == "?"


def test_what_fits_is_read() -> None:
    given = {
        "account": "ACC-1.001:a_b",
        "from": "2026-11-01T00:00:00.5+01:00",
        "to": "9999-12-31T23:59:59.999999999Z",
        "usageType": "Größe & Co 'x'",
        "kind": "ONE_TIME_FEE",
        "adjustmentState": "NONE",
        "currency": "EUR",
        "minAmount": "0",
        "maxAmount": str(10**15),
        "q": "%_' 日本",
        "limit": "200",
    }

    assert read_parameters(urlencode(given).encode(), KNOWN) == given | {
        "from": microseconds_of("2026-10-31T23:00:00.5Z"),
        "to": microseconds_of("9999-12-31T23:59:59.999999Z"),
        "minAmount": 0,
        "maxAmount": 10**15,
        "limit": 200,
    }


def test_letters_beyond_ascii_need_not_be_escaped() -> None:
    assert read_parameters("q=é".encode(), KNOWN) == {"q": "é"}


def test_nothing_given_is_nothing_read() -> None:
    assert read_parameters(b"", KNOWN) == {}
