"""The general ledger accounts, from a small TOML file."""

import tomllib
from pathlib import Path

import msgspec

SHIPPED = Path(__file__).with_name("gl_accounts.toml")


class GlAccountsError(Exception):
    """The file cannot be used; the text says why."""


class GlAccounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where receivables and taxes are posted."""

    receivable: str
    tax_payable: str
    tax_payable_by_code: dict[str, str] = {}

    def of_tax(self, code: str | None) -> str:
        """Give the account of a tax code."""
        return self.tax_payable_by_code.get(code or "", self.tax_payable)


def read_accounts(file: Path | None) -> GlAccounts:
    """Read a file, or the one that comes along. Raises GlAccountsError."""
    file = file or SHIPPED
    try:
        return msgspec.convert(tomllib.loads(file.read_text()), GlAccounts)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise GlAccountsError(f"The G/L accounts in {file} cannot be read: {error}") from error
