"""What the pages read in the browser's document, for tests in plain Python."""

import sys
from types import SimpleNamespace

import pytest

DATASET = SimpleNamespace(auth="/api/auth", denied="/denied")


@pytest.fixture(autouse=True)
def _document(monkeypatch):
    root = SimpleNamespace(dataset=DATASET)
    pyscript = SimpleNamespace(document=SimpleNamespace(documentElement=root))
    monkeypatch.setitem(sys.modules, "pyscript", pyscript)
