#!/usr/bin/env python3
"""numbers.py FORMAT_HPP PROTOCOL_MD: each record of the code has its row in
PROTOCOL.md's table and a section that names it, and the other way round."""
import re
import sys


def main(header, prose):
    with open(header, encoding="utf-8") as file:
        source = file.read()
    listed = re.search(r"enum class record_type.*?\{(.*?)\};", source, re.S).group(1)
    number_of = {name: int(number) for name, number in re.findall(r"(\w+) = (\d+)", listed)}
    told = re.findall(r'\{record_type::(\w+),\s*"([A-Z_]+)",\s*record_sender::(\w+)', source)
    code = {number_of[name]: (text, by) for name, text, by in told}
    if len(told) != len(number_of) or len(code) != len(number_of):
        sys.exit("a record's number has no row, or two")
    with open(prose, encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("### 2.3"):text.index("## 3.")]
    rows = {int(number): (name, by) for number, name, by in re.findall(r"^\| (\d+) \| (\w+) \| (\w+) \|", table, re.M)}
    titles = " ".join(re.findall(r"^#+ .*$", text, re.M))
    if code != rows:
        sys.exit(f"the code has {sorted(code.items())}, the prose {sorted(rows.items())}")
    for number, (name, _) in rows.items():
        if f"{name} ({number})" not in titles:
            sys.exit(f"no section is called {name} ({number})")
    print(f"{len(rows)} records, each with its section")


main(*sys.argv[1:])
