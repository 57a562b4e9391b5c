"""Hide imported modules in a snapshot's memory until they are imported again.

So pages that never import them cannot tell, and those that do get all of them at once, without any work.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType


def defer(names: Iterable[str]) -> None:
    """Make as if these modules had not been imported."""
    modules = {name: sys.modules.pop(name) for name in names}
    for package, own, _ in _attributes(modules):
        delattr(package, own)
    sys.meta_path.insert(0, _Aside(modules))


def _attributes(modules: dict[str, ModuleType]) -> list[tuple[ModuleType, str, ModuleType]]:
    """Return the attributes by which visible packages refer to hidden modules: package, name, module."""
    split = [(*name.rpartition("."), module) for name, module in modules.items()]
    return [
        (sys.modules[package], own, module) for package, _, own, module in split if package in sys.modules
    ]


class _Aside(MetaPathFinder, Loader):
    """The finder and loader of the hidden modules."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._modules = modules
        self._spec: ModuleSpec | None = None

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for one of them."""
        return ModuleSpec(name, self) if name in self._modules else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module as it was; with it, all are back."""
        sys.meta_path.remove(self)
        sys.modules.update(self._modules)
        for package, own, module in _attributes(self._modules):
            setattr(package, own, module)
        found = self._modules[spec.name]
        self._spec = found.__spec__
        return found

    def exec_module(self, module: ModuleType) -> None:
        """Restore what Python's import has just changed; the module itself is complete."""
        module.__spec__ = self._spec
