#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Counts what makes this code easy or hard to read: a report, not a gate.

Per top folder: how long functions are and whether they have paragraphs; and for the whole tree:
sentences cut into pieces, files without a header line, ways to refuse an option, and words that
CONTRIBUTING.md asks to avoid.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys

FOLDERS = ("analyzer", "collector", "sql", "kvm", "testbed")
SOURCE_SUFFIXES = (".c", ".h", ".py", ".sh", ".bzl", ".awk", ".js", ".css", ".html", ".in", ".sql")
LONG = 25  # lines of a function that ought to have paragraphs

# Words of a private dialect -> what the rest of the field says.
WORDS = {
    "behind": r"\bbehind\b",
    "beside": r"\bbeside\b",
    "is/are no X": r"\b(?:is|are) no \w+",
    "so many": r"\bso many\b",
    "but for": r"\bbut for\b",
    "want": r"\bwant(?:s|ed)?\b",
    "tell": r"\btells?\b|\btold\b",
    "lie": r"\blies\b",
    "fate": r"\bfates?\b",
    "stray": r"\bstrays?\b",
    "stranger": r"\bstrangers?\b",
    "settle": r"\bsettled?\b",
    "sifted": r"\bsifted\b",
    "look": r"\blooks?\b",
    "whatever": r"\bwhatever\b",
    "as of": r"\bas of\b",
}

# These name the words above, or are not ours.
NAMES_WORDS = ("tools/style", "CONTRIBUTING.md", "LICENSE", "third_party/")

SENTENCE_PIECE = re.compile(r'^\s*"')
ENDS_IN_LITERAL = re.compile(r'"\s*\\?$')
ENDS_IN_LINE = re.compile(r'\\n"\s*\\?$')
SHARED_REFUSAL = ("kvm/host/usage.sh", "testbed/bed/__init__.py", "testbed/guest/options.h")
REFUSAL = re.compile(r"unknown (?:option|argument|word)|unrecognized|\$\{\d:\?\}")


def tracked(root):
    out = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    return [name for name in out.stdout.splitlines() if (root / name).is_file()]


def read(root, name):
    return (root / name).read_text(errors="replace")


def is_test(name):
    return "/test/" in name or "/testdata/" in name or "_test." in name


def functions(root, files):
    """(file, line, name, lines of the body) of each C function, by universal-ctags."""
    command = ["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json",
               "-f", "-", "-L", "-"]
    out = subprocess.run(command, cwd=root, input="\n".join(files), text=True,
                         capture_output=True, check=True).stdout
    for line in out.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            body = read(root, tag["path"]).split("\n")[tag["line"]:tag["end"] - 1]
            yield tag["path"], tag["line"], tag["name"], body


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def count_functions(root, files, show):
    print(f"{'folder':10} {'functions':>9} {'median':>6} {'p90':>4} {'max':>4} {'blank':>7} "
          f"{'comments':>8} {'>=25 lines':>10} {'of them <=1 blank line':>22}")
    all_long = all_walls = 0
    for folder in FOLDERS:
        names = [name for name in files if name.startswith(folder + "/") and not is_test(name)
                 and name.endswith((".c", ".h"))]
        lengths, lines, blank, comments, long_ones, walls = [], 0, 0, 0, 0, []
        for path, line, name, body in functions(root, names):
            empty = sum(1 for text in body if not text.strip())
            lengths.append(len(body) + 2)
            lines += len(body)
            blank += empty
            comments += sum(1 for text in body if text.strip().startswith(("/*", "*", "//")))
            long_ones += len(body) >= LONG
            if len(body) >= LONG and empty <= 1:
                walls.append(f"{path}:{line} {name}, {len(body)} lines")
        p90 = statistics.quantiles(lengths, n=10)[-1]
        print(f"{folder:10} {len(lengths):9} {statistics.median(lengths):6.0f} {p90:4.0f} "
              f"{max(lengths):4} {percent(blank, lines):>7} {percent(comments, lines):>8} "
              f"{long_ones:10} {len(walls):22}")
        all_long += long_ones
        all_walls += len(walls)
        if show:
            print(*(f"    {wall}" for wall in walls), sep="\n")
    print(f"\nfunctions of {LONG} lines and more with at most one blank line: "
          f"{all_walls} of {all_long}")


def string_pieces(text):
    """(pieces, crumbs): literals that go on with the sentence of the line above; the short ones."""
    pieces = crumbs = 0
    above = ""
    for line in text.split("\n"):
        if (SENTENCE_PIECE.match(line) and ENDS_IN_LITERAL.search(above)
                and not ENDS_IN_LINE.search(above) and not above.lstrip().startswith("#include")):
            pieces += 1
            literal = re.match(r'\s*"((?:[^"\\]|\\.)*)"', line)
            crumbs += bool(literal) and len(literal.group(1)) <= 14
        above = line.rstrip()
    return pieces, crumbs


def has_header_line(text):
    """Whether a comment stands before the code, after the licence line."""
    lines = [line for line in text.split("\n")[:6] if line.strip()]
    return len(lines) > 1 and lines[1].lstrip().startswith(("/*", "//"))


def refusals(root, files):
    """{wording: [file:line]} of how programs and scripts refuse an option, as the source has it.

    X is the option and PROGRAM the program. A "did you mean" in between is no other wording.
    """
    found = {}
    for name in files:
        if is_test(name) or name.startswith(("tools/", "third_party/")) or name.endswith(".md"):
            continue
        lines = read(root, name).split("\n")
        for number, line in enumerate(lines, 1):
            match = REFUSAL.search(line)
            if not match or line.lstrip().startswith(("#", "* ", "/*")) or "re.match" in line:
                continue
            around = " ".join(lines[number - 1:number + 2])
            before = line[:match.start()].rstrip()
            words = "a shell error" if match.group().startswith("$") else match.group()
            words = words + " X" if re.match(r":? ?'?\$|:? ?(?:--)?%s", line[match.end():]) \
                and not before.endswith(":") else "X: " + words
            helps = re.search(r"[(:] ?(see )?[^()\"]*--help", around) or name in SHARED_REFUSAL
            see = "" if not helps else " (PROGRAM --help)"
            if helps and name not in SHARED_REFUSAL and helps.group(1):
                see = " (see PROGRAM --help)"
            found.setdefault(words + see, []).append(f"{name}:{number}")
    return found


def is_source(root, name):
    """Whether people write and read it as code: scripts without a suffix too, no data, no prose."""
    if name.startswith("third_party/") or "testdata/" in name:
        return False
    return name.endswith(SOURCE_SUFFIXES) or read(root, name).startswith("#!")


def count_tree(root, files, show):
    code = [name for name in files if name.endswith((".c", ".h"))]
    pieces = crumbs = 0
    for name in code:
        if is_test(name):
            continue
        more, small = string_pieces(read(root, name))
        pieces += more
        crumbs += small
        if show and more:
            print(f"    {name}: {more} pieces")
    print(f"string pieces continued over lines: {pieces}, of at most 14 letters: {crumbs}")

    bare = [name for name in code if not has_header_line(read(root, name))]
    print(f"files without a header line: {len(bare)} of {len(code)}")
    slashes = sum(1 for name in code if name.endswith(".c") and read(root, name).startswith("//"))
    print(f"licence line of .c files: // {slashes}, "
          f"/* {sum(1 for name in code if name.endswith('.c')) - slashes}")

    wordings = refusals(root, files)
    print(f"wordings of an unknown option: {len(wordings)}")
    for form in sorted(wordings):
        print(f"    {form}   ({', '.join(wordings[form])})")

    length = {name: read(root, name).count("\n") for name in files if is_source(root, name)}
    longest = max(length, key=length.get)
    print(f"longest file of {len(length)}: {longest}, {length[longest]} lines; files of more than "
          f"600: {sum(1 for lines in length.values() if lines > 600)}")
    wide = [f"{name}:{number}" for name in files if name.endswith(".md")
            for number, line in enumerate(read(root, name).split("\n"), 1)
            if len(line) > 100 and not line.lstrip().startswith("|")]
    print(f"lines of README and other .md over 100 columns, tables apart: {len(wide)}")
    if show:
        print(*(f"    {place}" for place in wide), sep="\n")

    prose = [name for name in files if not name.startswith(NAMES_WORDS)
             and "/golden" not in name and "/recorded/" not in name
             and not name.endswith((".gz", ".dat", ".perf.data"))]
    counts = dict.fromkeys(WORDS, 0)
    for name in prose:
        for number, line in enumerate(read(root, name).split("\n"), 1):
            for word, pattern in WORDS.items():
                found = len(re.findall(pattern, line))
                counts[word] += found
                if show and found:
                    print(f"    {name}:{number} [{word}] {line.strip()}")
    print("words by count: " + ", ".join(f"{word} {n}" for word, n in counts.items()))


class Parser(argparse.ArgumentParser):
    """Refuses an option in the words of all programs here (testbed/bed has the same)."""

    def error(self, message):
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        message = f"{unknown.group(1)}: unknown option" if unknown else message
        self.exit(1, f"{self.prog}: {message} ({self.prog} --help)\n")


def main():
    parser = Parser(
        prog="tools/style.py", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="needs: universal-ctags\nexamples:\n  bazel run //tools:style\n"
               "  tools/style.py --list /tmp/another-checkout")
    parser.add_argument("root", nargs="?", metavar="FOLDER",
                        default=os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."),
                        help="a checkout; default: this one")
    parser.add_argument("--list", action="store_true", help="name what is counted")
    options = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may end first
    root = pathlib.Path(options.root)
    try:
        files = tracked(root)
        count_functions(root, files, options.list)
        count_tree(root, files, options.list)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"tools/style.py: {error} (needs git and universal-ctags: "
                 "apt-get install universal-ctags)")


if __name__ == "__main__":
    main()
