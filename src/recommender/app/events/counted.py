"""What was counted of the event log so far, kept beside it, so that a start reads only what came after.

`counted.json` says how far each file was read and what was counted until there. It can be removed at any
time: the next start reads everything again. So it does where a file is gone or shorter than it was. A process
saves what it counted itself, with the places of other processes' files as of its own start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import orjson

from recommender.app.events.reading import Places, read_on
from recommender.app.events.traffic import Traffic
from recommender.whole_files import write_whole

log = logging.getLogger(__name__)

NAME = "counted.json"


def count_folder(folder: Path) -> tuple[Traffic, Places, int]:
    """The traffic of all files, how far they are now read, and how many records had to be read for it."""
    traffic, places = _saved(folder) or (Traffic(), {})
    read = 0
    for record in read_on(folder, places):
        traffic.count(record)
        read += 1
    return traffic, places, read


def save_counted(folder: Path, places: Places, saved: Mapping[str, object]) -> None:
    """Keep `Traffic.saved()` of everything before `places`; a folder that takes no file goes without."""
    try:
        write_whole(folder / NAME, orjson.dumps({"places": places, "traffic": saved}).decode())
    except OSError as error:
        log.warning("%s: counts are not saved, the next start reads more: %s", folder, error)


def _saved(folder: Path) -> tuple[Traffic, Places] | None:
    """What was saved last; None without it, and where the files are others now."""
    try:
        content = orjson.loads((folder / NAME).read_bytes())
        places = _places(content["places"])
        if any((folder / name).stat().st_size < place for name, place in places.items()):
            return None
        return Traffic.restored(content["traffic"]), places
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("%s: cannot be read, everything is counted again: %s", folder / NAME, error)
        return None


def _places(saved: Mapping[str, object]) -> Places:
    """Numbers of bytes by file name; raises `ValueError` for what is none."""
    places: Places = {}
    for name, place in saved.items():
        if not isinstance(place, int) or isinstance(place, bool) or place < 0:
            raise ValueError(f"the place in {name} must be a whole number from 0, received {place!r}")
        places[name] = place
    return places
