"""The block diagrams of the documents, drawn by schemdraw: ``python docs/extensions/diagrams.py``.

A diagram is a list of blocks and of arrows between them. The pictures lie in docs/, so that a code
host shows them; each says of which list it was drawn, and a test compares.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parents[1]

HOST, HARDWARE, MEMORY = "#e8f0fb", "#fdf0e0", "#e9f5e9"
"""Colours: on the host, logic of the FPGA, memory of the FPGA."""


@dataclass(frozen=True)
class Block:
    """A box with a text.

    Parameters
    ----------
    x, y : float
        Its middle; y grows upwards. One unit is the height of two lines of text.
    text : str
        Lines; the first says what it is.
    colour : str
        One of the colours above.
    """

    x: float
    y: float
    text: str
    colour: str = HARDWARE

    @property
    def width(self) -> float:
        """Room for the longest line."""
        return max(3.6, 0.8 + 0.235 * max(map(len, self.text.splitlines())))

    @property
    def height(self) -> float:
        """Room for all lines."""
        return 0.5 + 0.45 * len(self.text.splitlines())


@dataclass(frozen=True)
class Arrow:
    """A line with a head, from one side of a block to one of another.

    Parameters
    ----------
    start, end : str
        Name of a block and one of its sides, as ``"lanes.E"``.
    text : str
        What moves along it.
    bend : str
        None for a straight line; else the form of schemdraw's `Wire`, such as ``"-|"``.
    side : {"top", "bottom", "left", "right"}
        Where the text stands.
    """

    start: str
    end: str
    text: str = ""
    bend: str = ""
    side: str = "top"
    stretch: float = 1.0


@dataclass(frozen=True)
class Diagram:
    """Blocks by name, arrows, and for whom cannot see it what it shows."""

    told: str
    blocks: dict[str, Block] = field(default_factory=dict)
    arrows: tuple[Arrow, ...] = ()

    def digest(self) -> str:
        """Hash what is drawn."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


DIAGRAMS = {
    "block_diagram": Diagram(
        "A model or a problem is prepared on the host and streamed over a line to the FPGA, whose "
        "link checks packets and whose router gives them to the engines: networks to the "
        "contractor or the spatial engine, Ising models to the annealer",
        {
            "estimator": Block(0, 4, "estimator\nscikit-learn", HOST),
            "sampler": Block(0, 1.4, "sampler\ndimod", HOST),
            "program": Block(5.6, 4, "program\n8-bit weights", HOST),
            "job": Block(5.6, 1.4, "job\ninteger couplings", HOST),
            "driver": Block(11, 2.7, "driver\nrepeats what is lost", HOST),
            "link": Block(17.2, 2.7, "link\nCRC, order"),
            "router": Block(22.2, 2.7, "router\nexecutes requests"),
            "contractor": Block(29, 4.9, "contractor\ntensor networks"),
            "spatial": Block(29, 2.7, "spatial engine\ntrees of one shape"),
            "annealer": Block(29, 0.5, "annealer\nIsing models"),
        },
        (
            Arrow("estimator.E", "program.W"),
            Arrow("sampler.E", "job.W"),
            Arrow("program.E", "driver.N", bend="-|"),
            Arrow("job.E", "driver.S", bend="-|"),
            Arrow("driver.E", "link.W", "UART,\nSPI"),
            Arrow("link.E", "router.W"),
            Arrow("router.N", "contractor.W", bend="|-"),
            Arrow("router.E", "spatial.W"),
            Arrow("router.S", "annealer.W", bend="|-"),
        ),
    ),
    "contractor": Diagram(
        "Program words give headers and weights; the product of two operands goes to all lanes; "
        "sums drain through the normaliser into the vector slots or the score buffer",
        {
            "levels": Block(0, 4.6, "feature memory\na byte each, two halves", MEMORY),
            "table": Block(0, 2.3, "feature table\nlevel to vector", MEMORY),
            "slots": Block(0, 0, "vector slots\nresults of nodes", MEMORY),
            "product": Block(8, 1.15, "left[a] * right[b]\none a cycle"),
            "program": Block(
                8, 5, "program memory\nheaders and weights,\nread once, in order", MEMORY
            ),
            "sequencer": Block(14.4, 5, "sequencer\nnodes, blocks"),
            "lanes": Block(14.4, 1.15, "P lanes\nweight * product,\n32-bit sums"),
            "drain": Block(20.4, 1.15, "drain\none sum a cycle"),
            "normaliser": Block(20.4, -1.8, "normaliser\n16 bits and an exponent"),
            "scores": Block(27, -1.8, "score buffer\nto the router", MEMORY),
        },
        (
            Arrow("levels.S", "table.N", "level", side="right"),
            Arrow("table.E", "product.W", bend="c", stretch=0.9),
            Arrow("slots.E", "product.W", bend="c", stretch=0.9),
            Arrow("product.E", "lanes.W"),
            Arrow("program.E", "sequencer.W"),
            Arrow("sequencer.S", "lanes.N", "weights", side="right"),
            Arrow("lanes.E", "drain.W"),
            Arrow("drain.S", "normaliser.N"),
            Arrow("normaliser.W", "slots.S", bend="-|"),
            Arrow("normaliser.E", "scores.W"),
        ),
    ),
    "annealer": Diagram(
        "Fields of all spins are compared with random thresholds in one cycle; the first spin "
        "that accepts flips, its row of couplings updates the fields of its replica; other "
        "replicas fill the loop",
        {
            "turns": Block(0, 3.6, "turns\nwhich replica, sweep, step"),
            "thresholds": Block(0, 0.2, "thresholds\na random number a spin"),
            "spins": Block(8, 1.8, "all spins at once\nfield against threshold"),
            "search": Block(15, 1.8, "search\nthe first that accepts"),
            "couplings": Block(21.6, 1.8, "couplings\nthe row of that spin", MEMORY),
            "energies": Block(15, -1, "energies\nlast and best state"),
            "results": Block(21.6, -1, "results\nto the router", MEMORY),
        },
        (
            Arrow("turns.E", "spins.NNW", bend="-|"),
            Arrow("thresholds.E", "spins.S", bend="-|"),
            Arrow("spins.E", "search.W"),
            Arrow("search.E", "couplings.W"),
            Arrow(
                "couplings.N",
                "spins.NNE",
                "added to the fields of this replica",
                bend="n",
                stretch=2.6,
            ),
            Arrow("search.S", "energies.N"),
            Arrow("energies.E", "results.W"),
        ),
    ),
    "spatial": Diagram(
        "The levels of a sample choose rows of tables, whose products are summed up in nodes of a "
        "tree; each node has its own multipliers, and a new sample can begin in every cycle",
        {
            "levels": Block(0, 3.6, "levels\na byte a feature"),
            "image": Block(0, 0.6, "program\nsent on when activated", MEMORY),
            "leaves": Block(8, 3.6, "nodes of two features\ntable row * vector", MEMORY),
            "inner": Block(16.2, 3.6, "nodes of two vectors\nproducts, weights, sums"),
            "root": Block(24, 3.6, "root\na sum for each class"),
            "weights": Block(16.2, 0.6, "weights\nin registers", MEMORY),
            "scores": Block(30, 3.6, "scores\none sample a cycle"),
        },
        (
            Arrow("levels.E", "leaves.W"),
            Arrow("leaves.E", "inner.W"),
            Arrow("inner.E", "root.W"),
            Arrow("root.E", "scores.W"),
            Arrow("image.E", "leaves.S", bend="-|"),
            Arrow("image.E", "weights.W"),
            Arrow("weights.N", "inner.S"),
            Arrow("weights.E", "root.S", bend="-|"),
        ),
    ),
    "line": Diagram(
        "A request becomes a packet with a number and a CRC, travels as a frame, and is executed "
        "only if both are right; otherwise the device rejects it and says which number it expects",
        {
            "request": Block(0, 2, "request\nWRITE, RUN, ANNEAL ...", HOST),
            "packet": Block(7.2, 2, "packet\nnumber, CRC-32", HOST),
            "frame": Block(13, 2, "frame\nno zero inside", HOST),
            "receiver": Block(20, 2, "receiver\nCRC and number right?"),
            "router": Block(27, 2, "router\nexecutes it once", HARDWARE),
            "reject": Block(20, -0.9, "REJECT\nthe number expected"),
            "again": Block(7.2, -0.9, "sent again\nfrom that number", HOST),
        },
        (
            Arrow("request.E", "packet.W"),
            Arrow("packet.E", "frame.W"),
            Arrow("frame.E", "receiver.W", "bytes"),
            Arrow("receiver.E", "router.W", "yes"),
            Arrow("receiver.S", "reject.N", "no", side="right"),
            Arrow("reject.W", "again.E"),
            Arrow("again.N", "packet.S"),
        ),
    ),
}
"""The diagrams, by the names of their pictures."""


def draw(diagram: Diagram) -> str:
    """Draw a diagram.

    Parameters
    ----------
    diagram : Diagram
        The blocks and arrows.

    Returns
    -------
    str
        The picture, an SVG.
    """
    import schemdraw
    from schemdraw import elements, flow

    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    drawing = schemdraw.Drawing(show=False, unit=1, fontsize=13, font="sans-serif", margin=0.4)
    drawing.config(bgcolor="white", inches_per_unit=0.42)
    boxes = {}
    for name, block in diagram.blocks.items():
        box = flow.Box(w=block.width, h=block.height, anchor="center").at((block.x, block.y))
        boxes[name] = drawing.add(box.label(block.text).fill(block.colour).linewidth(1.2))

    def place(end: str):
        name, _, side = end.partition(".")
        return getattr(boxes[name], side)

    for arrow in diagram.arrows:
        line = elements.Wire(arrow.bend or "-", k=arrow.stretch, arrow="->")
        line = line.at(place(arrow.start)).to(place(arrow.end)).linewidth(1.2)
        if arrow.text:
            line = line.label(arrow.text, loc=arrow.side, fontsize=11)
        drawing.add(line)
    picture = drawing.get_imagedata("svg").decode()
    about = f"<title>{diagram.told}</title><!-- drawn of {diagram.digest()} -->"
    begin = picture.index(">", picture.index("<svg")) + 1
    return picture[:begin] + about + picture[begin:].rstrip() + "\n"


if __name__ == "__main__":
    for name, diagram in DIAGRAMS.items():
        (DOCS / f"{name}.svg").write_text(draw(diagram), encoding="utf-8")
