#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""exit_life_test.py DOT2C DOT SVG README HEADER - the automaton, its picture and its description

They show the same states and events; the automaton has no dead ends; and what the header says is
what the file says, in the form of the kernel's runtime verification.
"""

import html
import importlib
import pathlib
import re
import sys

sys.dont_write_bytecode = True

failed = 0


def check(claim, is_true):
    global failed
    if not is_true:
        print(f"FAILED: {claim}")
        failed += 1


def reachable(automaton, start):
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for end in (end for (begin, _), end in automaton.edges.items() if begin == state):
            if end not in seen:
                seen.add(end)
                todo.append(end)
    return seen


def edges_of_picture(svg):
    """{(state, event): end}, from the titles and texts of graphviz"""
    edges = {}
    for title, text in re.findall(r'class="edge">\n<title>(.*?)</title>(.*?)</g>', svg, re.DOTALL):
        begin, end = html.unescape(title).split("->")
        for event in re.findall(r"<text [^>]*>(\w+)</text>", text):
            edges[begin, event] = end
    return edges


def edges_of_header(header, automaton):
    table = header[header.index(".function"):header.index(".initial_state")]
    rows = [re.findall(r"(\w+)_exit_life|INVALID_STATE", line)
            for line in table.splitlines() if "{ " in line and "}," in line]
    return {(state, event): end for state, row in zip(automaton.states, rows)
            for event, end in zip(automaton.events, row) if end}


def main():
    dot2c, dot, svg, readme, header = (pathlib.Path(a) for a in sys.argv[1:])
    sys.path.insert(0, str(dot2c.parent))
    module = importlib.import_module("dot2c")
    text = dot.read_text()
    automaton = module.Automaton(text)

    check("11 states, from user_space", len(automaton.states) == 11 and
          automaton.states[0] == "user_space" and automaton.finals == {"gone"})
    check("each state can be reached",
          reachable(automaton, automaton.states[0]) == set(automaton.states))
    check("from each state a vCPU comes to its end",
          all("gone" in reachable(automaton, state) for state in automaton.states))
    check("the end is the end", not any(state == "gone" for state, _ in automaton.edges))

    check("exit_life.svg is of another automaton (README.md has the command)",
          edges_of_picture(svg.read_text()) == automaton.edges)
    check("the header has another table",
          edges_of_header(header.read_text(), automaton) == automaton.edges)
    life = readme.read_text().split("\n## The life of an exit\n")[1]
    described = set(re.findall(r"`(\w+)`", "".join(
        line.split("|")[1] for line in life.splitlines() if line.startswith("| `"))))
    check(f"README.md describes {described ^ {*automaton.states, *automaton.events}}",
          described == {*automaton.states, *automaton.events})

    # Two ways with one event, or an event with the name of a state, are refused.
    for broken in (text.replace('"fastpath" -> "in_guest"', '"exited" -> "in_guest"')
                   .replace('[ label = "entry" ]', '[ label = "handle" ]', 1),
                   text.replace('label = "wake"', 'label = "gone"')):
        try:
            module.Automaton(broken)
            check("a broken automaton is refused", False)
        except ValueError:
            pass
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
