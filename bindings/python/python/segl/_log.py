"""Log records of segl in Python's `logging`, or anywhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable

from segl import _native

_logger = logging.getLogger("segl")
# Without a handler of its own, warnings of a program that has not configured logging would
# go to standard error.
_logger.addHandler(logging.NullHandler())


def log_to_logging() -> None:
    """Sends log records to `logging.getLogger("segl")`; so it is after the import.

    The attribute `target` of a record names the layer that it comes from, for example "pkcs11". A
    record of a level that the logger does not want is not made: its effective level is looked at
    when a call begins that is not answered from the cache. Records hold no PIN, token, assertion,
    key or personal identifier.
    """
    _native.log_through(_logger.getEffectiveLevel, _take)


def set_log(level: int, sink: Callable[[int, str, str], None] | None) -> None:
    """Sends log records to `sink(level, target, message)` instead; None ends logging.

    `level` is the least level that is wanted, one of `logging`'s numbers. The sink is called on the
    thread that a record is about or on one of segl's own. It may call segl; records made by such calls
    are dropped. What it raises goes to `sys.unraisablehook`.
    """
    if sink is None:
        _native.log_through(None, None)
    else:
        _native.log_through(lambda: level, sink)


def _take(level: int, target: str, message: str) -> None:
    if _logger.isEnabledFor(level):
        extra = {"target": target}
        _logger.handle(
            _logger.makeRecord(_logger.name, level, "segl", 0, "%s: %s", (target, message), None, None, extra)
        )
