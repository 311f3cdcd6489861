"""prose.py: what the decoder reads in PROTOCOL.md itself: which records there are
(section 2.3), and of those that say something and change nothing, their bodies."""
import os
import re

from fields import Reader, json_body, require

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}

with open(os.path.join(os.path.dirname(__file__), "../../libteleport/PROTOCOL.md"), encoding="utf-8") as _file:
    _TEXT = _file.read()
_ROWS = [[cell.strip() for cell in line.strip("|").split("|")]
         for line in re.findall(r"^\| \d+ \| [A-Z_]+ \|.*$", _TEXT, re.M)]

# Number: (name, who sends it).
RECORDS = {int(number): (name, by) for number, name, by, _, _ in _ROWS}
_BODIES = {name: body for _, name, _, body, _ in _ROWS}
_STATES = {name: set(states.split(", ")) for _, name, _, _, states in _ROWS}


def _check_numbers(name, body):
    """The body is the numbers of the table in the record's section, each of those allowed."""
    section = re.search(rf"^#+ [\d.]+ (?:[^\n]* )?{name} \(.*?(?=^#|\Z)", _TEXT, re.M | re.S).group()
    rows = re.findall(r"^\| \w+ \| (\w+) \| [^|]* \| ([^|]*) \|", section, re.M)[1:]
    require(rows and all(size in SIZES for size, _ in rows), "its body is no plain numbers")
    reader = Reader(body)
    for size, allowed in rows:
        number = reader.number(SIZES[size])
        between = re.fullmatch(r"(\d+) to (\d+)", allowed.strip())
        require(not between or int(between[1]) <= number <= int(between[2]), f"{number}, allowed is {allowed}")
    reader.done()


def check_plain(name, state, body):
    """Of a record that the decoder's classes do not know: its state and its body are as the prose has them.
    Records whose row names more than states are not plain."""
    require(state in _STATES[name], f"in the state {state}, or no part of this session")
    if _BODIES[name] == "empty":
        require(not body, "it has a body")
    elif _BODIES[name].startswith("JSON"):
        json_body(body, {})
    else:
        _check_numbers(name, body)
