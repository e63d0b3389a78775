# SPDX-License-Identifier: GPL-2.0-only
"""dot2c.py NAME FILE.dot - the automaton in FILE as C, as the kernel's runtime verification has it

Reads and writes what tools/verification/dot2/dot2c of Linux does (which no package installs), with
_NAME after each name, as its dot2k has it. States are the initial one and then the others by
name; events are by name.
"""

import pathlib
import re
import sys

NODE = re.compile(r'\t\{node \[shape = (\w+)[^\]]*\] "(\w+)"\};')
EDGE = re.compile(r'\t"(\w+)" -> "(\w+)" \[ label = "([\w\\]+)" \];')
INITIAL = "__init_"


class Automaton:
    """states[0] is the initial one; edges: {(state, event): next state}; finals: set of states"""

    def __init__(self, text):
        nodes = {name: shape for shape, name in NODE.findall(text)}
        initial = next(name for name in nodes if name.startswith(INITIAL))[len(INITIAL):]
        self.states = [initial] + sorted(name for name in nodes
                                         if name != initial and not name.startswith(INITIAL))
        self.finals = {name for name, shape in nodes.items() if shape in ("doublecircle", "ellipse")}
        self.edges = {}
        for state, end, labels in EDGE.findall(text):
            for event in labels.split("\\n"):
                if (state, event) in self.edges:
                    raise ValueError(f"two transitions of {state} with {event}: not deterministic")
                self.edges[state, event] = end
        self.events = sorted({event for _, event in self.edges})
        unknown = {name for (state, _), end in self.edges.items() for name in (state, end)}
        unknown -= set(self.states)
        if unknown or set(self.states) & set(self.events):
            raise ValueError(f"states without a node, or events of the same name: {unknown}")


def names(words):
    return ",\n".join(f'\t\t"{word}"' for word in words)


def enum(kind, words, name):
    values = [f"{words[0]}_{name} = 0", *(f"{word}_{name}" for word in words[1:]),
              f"{kind}_max_{name}"]
    return f"enum {kind}s_{name} {{\n\t" + ",\n\t".join(values) + "\n};\n"


def function(automaton, name):
    """The rows of the matrix: the next state, by state and event."""
    for state in automaton.states:
        ends = [automaton.edges.get((state, event)) for event in automaton.events]
        yield "\t\t{ " + ", ".join(f"{end}_{name}" if end else "INVALID_STATE" for end in ends) + " },"


def c_text(automaton, name):
    finals = ", ".join(str(int(state in automaton.finals)) for state in automaton.states)
    matrix = "\n".join(function(automaton, name))
    return f"""\
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Automatically generated C representation of {name} automaton
 * For further information about this format, see kernel documentation:
 *   Documentation/trace/rv/deterministic_automata.rst
 */

{enum("state", automaton.states, name)}
#define INVALID_STATE state_max_{name}

{enum("event", automaton.events, name)}
struct automaton_{name} {{
	char *state_names[state_max_{name}];
	char *event_names[event_max_{name}];
	unsigned char function[state_max_{name}][event_max_{name}];
	unsigned char initial_state;
	bool final_states[state_max_{name}];
}};

static const struct automaton_{name} automaton_{name} = {{
	.state_names = {{
{names(automaton.states)}
	}},
	.event_names = {{
{names(automaton.events)}
	}},
	.function = {{
{matrix}
	}},
	.initial_state = {automaton.states[0]}_{name},
	.final_states = {{ {finals} }},
}};
"""


def main():
    if len(sys.argv) != 3:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    name, path = sys.argv[1:]
    sys.stdout.write(c_text(Automaton(pathlib.Path(path).read_text()), name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
