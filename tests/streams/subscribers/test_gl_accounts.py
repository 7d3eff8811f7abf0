"""The general ledger accounts come from a small file, or from the one that comes along."""

from pathlib import Path

import pytest

from streams.subscribers.finance.gl_accounts import GlAccountsError, read_accounts


def test_a_file_of_accounts_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert read_accounts(None).of_tax("VAT21") != read_accounts(None).of_tax("other")
    for text in ('receivable = "1"', "receivable = 1", "=", 'receivables = "1"'):
        file = tmp_path / "accounts.toml"
        file.write_text(text)
        with pytest.raises(GlAccountsError, match="cannot be read"):
            read_accounts(file)
    with pytest.raises(GlAccountsError):
        read_accounts(tmp_path / "absent.toml")
