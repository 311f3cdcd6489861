#!/usr/bin/env python3
"""numbers.py FORMAT_HPP PROTOCOL_MD: each record of the code has its row in
PROTOCOL.md's table and a section that names it, and the other way round."""
import re
import sys

from session import RECORDS


def main(header, prose):
    with open(header, encoding="utf-8") as file:
        listed = re.search(r"enum class record_type.*?\{(.*?)\};", file.read(), re.S).group(1)
    code = {int(number): name.upper() for name, number in re.findall(r"(\w+) = (\d+)", listed)}
    with open(prose, encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("### 2.3"):text.index("## 3.")]
    rows = {int(number): name for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", table, re.M)}
    titles = " ".join(re.findall(r"^#+ .*$", text, re.M))
    if code != rows:
        sys.exit(f"the code has {sorted(code.items())}, the prose {sorted(rows.items())}")
    if rows != {number: name for number, (name, _) in RECORDS.items()}:
        sys.exit("the decoder has other records than the prose")
    for number, name in rows.items():
        if f"{name} ({number})" not in titles:
            sys.exit(f"no section is called {name} ({number})")
    print(f"{len(rows)} records, each with its section")


main(*sys.argv[1:])
