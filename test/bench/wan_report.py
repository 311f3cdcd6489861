#!/usr/bin/env python3
"""wan_report.py WORK RESULTS: figures of wan.sh as RESULTS/wan.md and plots."""
import html
import json
import os
import sys

NAMES = {"ours": "seed (ours)", "rsync": "rsync -z", "zstd": "zstd -3, whole",
         "nbd": "qemu-img to NBD", "borg": "borg", "casync": "casync",
         "cubic1": "seed, cubic, one connection",
         "cubic": "seed, cubic, as many connections as it finds good"}
PAIRS = {"first": "nothing -> base", "web": "base -> web server",
         "db": "base, web -> database server", "day": "itself -> a day later",
         "untouched": "itself -> untouched"}
COLOURS = {"ours": "#c33", "rsync": "#36c", "zstd": "#393", "nbd": "#888",
           "borg": "#a6a", "casync": "#c93"}


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def mib(count):
    return f"{count / (1 << 20):.1f}" if count >= 1 << 19 else f"{count / (1 << 20):.3f}"


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def figures_row(name, figure):
    fault = "" if figure["right"] else " (**not whole**)"
    return row([name + fault, mib(figure["out"]), mib(figure["back"]),
                f"{figure['seconds']:.1f}", f"{figure['cpu_here'] or 0:.1f}",
                f"{figure['cpu_there'] or 0:.1f}",
                f"{(figure['rss_here'] or 0) / 1024:.0f}",
                f"{(figure['rss_there'] or 0) / 1024:.0f}"])


def report(work):
    pairs = {pair["pair"]: pair for pair in lines(work + "/pairs")}
    figures = lines(work + "/figures")
    main = [one for one in figures if one["rtt"] == 100 and one["loss"] == 0]
    more = [one for one in figures if one not in main]
    out = ["## Disks over a wide-area link (100 Mbit/s, 100 ms round trip)", "",
           "The link is `test/bench/wan_link.cpp`, whose counters say what crossed it: bytes",
           "of IP packets, both ways. Disks: `test/bench/wan_images`. Ours is `teleportctl",
           "seed --disk`, encrypted; the peers send in the clear. The index of the donors is",
           "there before, as is the file that rsync and casync start from and borg's archive",
           "of it; a disk that goes to itself has its earlier state there. rsync writes in",
           "place only then: else it would find less. Seconds end when the disk is there and",
           "synced, CPU seconds are of all processes, RSS is of the largest. One run of each;",
           "each result was compared with its source. Reference: `zstd -3`, as the peers have",
           "it, over the blocks that no disk there holds, found by comparing bytes. It is no",
           "bound: ours packs harder where the link leaves time for it (levels 3 to 12).", ""]
    for name, pair in pairs.items():
        out += [f"### {PAIRS[name]}", "",
                f"{mib(pair['bytes'])} MiB, of which {mib(pair['data'])} MiB are allocated; "
                f"reference: {mib(pair['reference'])} MiB.", "",
                row(["", "MiB out", "MiB back", "s", "CPU s source", "CPU s dest.",
                     "RSS MiB source", "RSS MiB dest."]),
                row(["---"] + ["---:"] * 7)]
        for figure in main:
            if figure["pair"] == name:
                out.append(figures_row(NAMES[figure["tool"]], figure))
        ours = next((one for one in main if one["pair"] == name and one["tool"] == "ours"), None)
        if ours:
            all_bytes = ours["out"] + ours["back"]
            share = f"{all_bytes / pair['reference']:.3f} x the reference, " if pair["bound"] > 1 << 16 else ""
            out += ["", f"Ours, both ways: {share}{100 * all_bytes / pair['bytes']:.4f} % of the disk; "
                    f"{ours['seconds'] / (ours['out'] * 8e-8 + 2):.2f} x (bytes out / rate + 2 s)."]
        for figure in main:
            if figure["pair"] == name and figure["note"]:
                out += ["", f"{NAMES[figure['tool']]}: {figure['note']}"]
        out.append("")
    if more:
        out += ["### Other links, base -> web server", "",
                row(["", "round trip ms", "loss", "MiB out", "MiB back", "s"]),
                row(["---"] + ["---:"] * 5)]
        for one in more:
            out.append(row([NAMES[one["tool"]] + ("" if one["right"] else " (**not whole**)"),
                            one["rtt"], f"{100 * one['loss']:g} %", mib(one["out"]),
                            mib(one["back"]), f"{one['seconds']:.1f}"]))
        out.append("")
    out += ["![bytes](results/wan-bytes.svg) ![seconds](results/wan-seconds.svg)", "",
            "### The link itself", "",
            "Measured in the same run by `ping` and one plain TCP stream of 10 s, the bytes",
            "beside the kernel's count of its own device. TCP's best at 100 Mbit/s and an MTU",
            "of 1500 is 96.5 Mbit/s; with loss the stream shows this kernel's congestion",
            "control, not the link.", "",
            row(["claimed", "ping ms", "stream Mbit/s", "counted bytes", "kernel's bytes",
                 "lost %", "dropped, queue full"]),
            row(["---"] + ["---:"] * 6)]
    for check in lines(work + "/checks"):
        out.append(row([f"{check['mbit']} Mbit/s, {check['rtt']} ms, {100 * check['loss']:g} %",
                        check["ping"], check["stream"], check["counted"], check["kernel"],
                        f"{100 * check['lost']:.2f}", check["dropped"]]))
    return "\n".join(out) + "\n", main


def plot(main, title, value, unit):
    """Bars by pair; the scale is that of the square root, so that all are seen."""
    left, width, bar, gap = 190, 420, 14, 18
    top = max([value(one) for one in main] + [1e-9])
    body, y = [], 40
    for pair in dict.fromkeys(one["pair"] for one in main):
        body.append(f'<text x="{left - 8}" y="{y + bar - 3}" text-anchor="end">'
                    f'{html.escape(PAIRS[pair])}</text>')
        for one in (one for one in main if one["pair"] == pair):
            length = width * (value(one) / top) ** 0.5
            fault = "" if one["right"] else " (not whole)"
            body.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" '
                        f'fill="{COLOURS[one["tool"]]}"/><text x="{left + length + 5:.1f}" '
                        f'y="{y + bar - 3}">{NAMES[one["tool"]]}: {value(one):.3g}{fault}</text>')
            y += bar
        y += gap
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 170}" height="{y}" '
            f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" '
            f'fill="#fff"/><text x="10" y="20" font-size="13">{title}, {unit} '
            f'(bars by square root)</text>{"".join(body)}</svg>\n')


def main_of_report():
    work, results = sys.argv[1:]
    text, main = report(work)
    for name, content in (
            ("wan.md", text),
            ("wan-bytes.svg", plot(main, "Bytes on the link, both ways",
                                   lambda one: (one["out"] + one["back"]) / (1 << 20), "MiB")),
            ("wan-seconds.svg", plot(main, "Time", lambda one: one["seconds"], "s"))):
        with open(os.path.join(results, name), "w", encoding="utf-8") as file:
            file.write(content)


main_of_report()
