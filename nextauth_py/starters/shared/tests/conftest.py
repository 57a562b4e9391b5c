"""Stands in for the browser's document, for tests in plain Python."""

import sys
from types import SimpleNamespace

import nextauth_py
import pytest

DATASET = SimpleNamespace(auth="/api/auth", denied="/denied")


@pytest.fixture(autouse=True)
def _document(monkeypatch):
    root = SimpleNamespace(dataset=DATASET)
    pyscript = SimpleNamespace(document=SimpleNamespace(documentElement=root))
    monkeypatch.setitem(sys.modules, "pyscript", pyscript)
    # It needs a real document: tests/test_site.py presses the buttons.
    monkeypatch.setattr(nextauth_py, "bind_page", lambda: None)
