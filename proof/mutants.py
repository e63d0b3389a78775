# SPDX-License-Identifier: GPL-2.0-only
"""mutants.py - faults of kvm/ring/exit_ring_core.h, made one at a time by rules"""

import dataclasses
import re

# (name, pattern, replacements): one mutant for each match in code and each replacement.
RULES = [
    ("compare", r"(?<![-<>=])>(?![>=])", [">=", "<"]),
    ("compare", r"<=", ["<", ">"]),
    ("compare", r"(?<![<])<(?![<=])", ["<=", ">"]),
    ("compare", r"==", ["!="]),
    ("compare", r"!=", ["=="]),
    ("arithmetic", r"(?<=\w) - (?=\w)", [" + "]),
    ("arithmetic", r"(?<=[\w)]) \+ 1\b", ["", " + 2"]),
    ("arithmetic", r"(?<=\w) \+ (?=\()", [" - "]),
    ("arithmetic", r"\+=", ["-=", "="]),
    ("arithmetic", r"\+\+(?=\w)", ["--", ""]),
    ("arithmetic", r"(?<=\w)\+\+", ["--", ""]),
    ("arithmetic", r"(?<=\w) & (?=[\w(])", [" | "]),
    ("arithmetic", r"(?<=\w) \* (?=r->)", [" + "]),
    ("logic", r"!(?=exit_ring_refresh)", [""]),
    ("logic", r" && (?=!exit)", [" || "]),
    ("ordering", r"__ATOMIC_(ACQUIRE|RELEASE)", ["__ATOMIC_RELAXED"]),
    ("ordering", r"\tsmp_load_acquire\(p\)", ["\tREAD_ONCE(*(p))"]),
    ("ordering", r"\tsmp_store_release\(p, v\)", ["\tWRITE_ONCE(*(p), v)"]),
    ("result", r"(?<=return )0(?=;)", ["1"]),
    ("result", r"(?<=return )1(?=;)", ["0"]),
    ("field", r"p->head(?= [-&])", ["p->tail_seen", "p->seq"]),
    ("field", r"slot->seq", ["slot->tsc"]),
    ("field", r"(?<=meta->)head(?=\))", ["seq"]),
    # One statement in a line of its own, not a declaration or a return: left out.
    ("leave out", r"(?<=\t)(?:\*?\w+(?:->\w+)? \+?= [^;]+|exit_ring_store\w*\([^;]+\));", [";"]),
]

# The same number comes out either way, so no proof or test can fail.
EQUIVALENT = {
    ("unread < r->count - at", "<="): "both branches give the same number where they meet",
}


@dataclasses.dataclass
class Mutant:
    line: int
    rule: str
    was: str
    now: str
    text: str
    equivalent: str = ""


def _is_code(text):
    """For each character, whether it is code that is compiled here: no comment, no BPF."""
    code = [True] * len(text)
    for found in re.finditer(r"/\*.*?\*/|#elif defined\(__bpf__\).*?(?=#else)|#include[^\n]*",
                             text, re.S):
        code[found.start():found.end()] = [False] * (found.end() - found.start())
    return code


def _swapped(text):
    """Two stores that follow each other, in the other order."""
    for found in re.finditer(r"(\texit_ring_store[^;]+;)([^\n]*)\n(\texit_ring_store[^;]+;)", text):
        first, comment, second = found.groups()
        yield Mutant(text[:found.start()].count("\n") + 1, "order", first.strip(),
                     second.strip() + " first",
                     text[:found.start()] + second + "\n" + first + comment + text[found.end():])


def mutants(text):
    """All mutants of the header, in the order of its lines."""
    code, made = _is_code(text), list(_swapped(text))
    for rule, pattern, replacements in RULES:
        for found in re.finditer(pattern, text):
            if not code[found.start()]:
                continue
            line = text[:found.start()].count("\n") + 1
            whole = text.splitlines()[line - 1].split("/*")[0].strip()
            for new in replacements:
                changed = text[:found.start()] + new + text[found.end():]
                equivalent = next((why for (part, by), why in EQUIVALENT.items()
                                   if part in whole and by == new), "")
                now = changed[:found.start() + len(new)].splitlines()[-1].lstrip() + \
                    text[found.end():].split("\n")[0].split("/*")[0].rstrip()
                made.append(Mutant(line, rule, whole, now, changed, equivalent))
    return sorted(made, key=lambda mutant: mutant.line)
