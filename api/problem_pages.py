"""One HTML page for each code, at the address that a problem's `type` names."""

from html import escape

from api.problems import EXPLANATIONS, type_of

_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}"
    "code{background:#eee;padding:.1em .3em;border-radius:.2em}td{padding:.1rem .8rem .1rem 0}"
)


def page_of(name: str) -> str | None:
    """Give the page of a code in kebab case; None if there is no such code."""
    code = next((code for code in EXPLANATIONS if type_of(code) == f"/problems/{name}"), None)
    if code is None:
        return None
    explanation = EXPLANATIONS[code]
    return _page(
        explanation.title,
        f"<p><code>{code}</code> · HTTP status {explanation.status}</p>"
        f"<p>{escape(explanation.text)}</p>"
        '<p><a href="/problems">All problems</a></p>',
    )


def page_of_all() -> str:
    """Give the list of all codes."""
    rows = []
    for code, explanation in EXPLANATIONS.items():
        rows.append(
            f'<tr><td>{explanation.status}<td><a href="{type_of(code)}"><code>{code}</code></a>'
            f"<td>{escape(explanation.title)}"
        )
    return _page("Problems", f"<table>{''.join(rows)}</table>")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>{body}</html>"
    )
