"""A bundle: its template, its folder, and the books that it names in the pyproject.toml beside it."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eachonce_workbench.run.books import Books, BooksError
from eachonce_workbench.run.kept import FOLDER
from eachonce_workbench.template.finding import bundle_folder, find_template


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Where a bundle is, and its books as MODULE:OBJECT; None where it has none."""

    template: Path
    folder: Path
    books: str | None = None

    @classmethod
    def find(cls, template: Path | None = None, *, books: str | None = None) -> Bundle:
        """Return the bundle of a template, by default of the one in the working folder or above.

        Its books are those that are given, or `books` in the table [tool.eachonce] of its pyproject.toml. Raises
        TemplateError where there is no template, BooksError where that file can't be read.
        """
        found = find_template(Path.cwd()) if template is None else template
        folder = bundle_folder(found)
        return cls(template=found, folder=folder, books=_named(folder) if books is None else books)

    @property
    def kept(self) -> Path:
        """The folder in which commands leave what they want to find again."""
        return self.folder / FOLDER

    def load_books(self) -> Books | None:
        """Import the books; None where the bundle has none. A class is made one of, without arguments.

        The bundle's folder and its layers' are on Python's path from now on. Raises BooksError.
        """
        if self.books is None:
            return None
        module, _, name = self.books.partition(":")
        if not module or not name:
            raise BooksError(f"{self.books} names no books: write MODULE:OBJECT, such as bookkeeping:Books")
        for folder in (self.folder, *self._layers()):
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
        try:
            found = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            raise BooksError(f"{self.books}: there is no module {error.name} in {self.folder}") from error
        except AttributeError as error:
            raise BooksError(f"{self.books}: {error}") from error
        return cast(Books, found() if isinstance(found, type) else found)

    def _layers(self) -> Iterator[Path]:
        from eachonce_workbench.template.code import importable
        from eachonce_workbench.template.source import Source

        for resource in Source.read(self.template).document.get("Resources", {}).values():
            content = _content(resource)
            if content is not None and (folder := self.template.parent / content).is_dir():
                yield importable(folder.resolve())


def _content(resource: Any) -> str | None:
    match resource:
        case {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": str(uri)}}:
            return uri
    return None


def _named(folder: Path) -> str | None:
    path = folder / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise BooksError(f"{path}: {error}") from error
    match document.get("tool"):
        case {"eachonce": {"books": str(books)}}:
            return books
    return None
