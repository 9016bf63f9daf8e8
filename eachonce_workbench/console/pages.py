"""Pages: templates around what a screen found, each with the command line that does the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.place import Place
from eachonce_workbench.console.text import ago, indented, moment, readable, span, text_of

HERE = Path(__file__).parent

SCREENS = (
    ("", "Overview"),
    ("events", "Events"),
    ("dead-letters", "Dead letters"),
    ("send", "Send"),
    ("tables", "Tables"),
    ("proof", "Proof"),
    ("chaos", "Chaos"),
)
"""The screens, in the order of their keys, 1 to 7: the path below the console's own, and its name."""


REFRESH = "x-refresh"
"""The header of a request for what is live on a page that stands already: what is read on demand isn't read again."""


def is_refresh(request: Request) -> bool:
    """Whether only what is live is asked for."""
    return REFRESH in request.headers


class Pages:
    """Renders templates for one place; what is put into them is text, whatever it says."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters |= {"readable": readable, "indented": indented, "moment": moment, "ago": ago}
        self._jinja.filters |= {
            "span": span,
            "plain": text_of,
            "json": lambda text: indented(text.encode(errors="replace")),
        }
        self._jinja.globals |= {"root": ROOT, "screens": SCREENS, "place": place}

    def page(self, request: Request, template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
        """Return a page."""
        here = request.url.path.removeprefix(ROOT).partition("/")[0]
        text = self._jinja.get_template(template).render(here=here, **told)
        return HTMLResponse(text, status_code=status)
