"""The end of the interpreter, and forks."""

from __future__ import annotations

import atexit
import os

from segl import _native


def register() -> None:
    """Keeps threads of segl's own out of an interpreter that is about to end, and calls out of forks."""
    atexit.register(_native.finalize)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_native.before_fork,
            after_in_parent=_native.after_fork_in_parent,
            after_in_child=_native.after_fork_in_child,
        )
