"""Train a tensor network on handwritten digits and classify the held-out ones on a board.

    python examples/digits_on_a_board.py                      # NumPy model of an iCEBreaker
    python examples/digits_on_a_board.py sim://icebreaker     # its simulated gateware
    python examples/digits_on_a_board.py /dev/ttyUSB1         # a real board

The three boards give the same scores, bit for bit. Only the first two run without hardware; the
simulated gateware is compiled once, which takes about a minute.
"""

import sys

from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tensorspin import Board, MPSClassifier

URL = "golden://icebreaker"
PICTURE = "digits_on_a_board.png"


def main(url: str) -> None:
    """Train, deploy, classify, and draw the least certain digits."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    # A matrix product state reads one pixel a site. `feature_range` promises that pixels are 0 to
    # 16, so that no pixel depends on the extremes of the training data. "strips" lets the chain
    # follow the image in pairs of rows, which keeps neighbouring pixels close in the chain.
    classifier = MPSClassifier(
        bond_dim=16, feature_range=(0, 16), feature_order="strips", epochs=60, random_state=0
    )
    classifier.fit(X_train, y_train)
    print(f"float network: accuracy {classifier.score(X_test, y_test):.3f}")

    # `deploy` rounds the weights to 8 bits. The network is data: it is streamed to the board in a
    # fraction of a second, and no bitstream is built for it.
    with Board.open(url) as board:
        on_board = classifier.deploy(board)
        print(f"{url}: accuracy {on_board.score(X_test, y_test):.3f}")

        # Cycles are exact, also on virtual boards: the test benches hold the gateware to them.
        cycles = int(on_board.last_run_.cycles[0])
        microseconds = cycles / board.info.clock_hz * 1e6
        print(f"one digit takes {cycles} clock cycles, {microseconds:.0f} microseconds")

        probabilities = on_board.predict_proba(X_test)

    certainty = probabilities.max(axis=1)
    predicted = on_board.classes_[probabilities.argmax(axis=1)]
    figure, panels = plt.subplots(2, 6, figsize=(9, 3.6))
    for panel, index in zip(panels.flat, certainty.argsort()):
        panel.imshow(X_test[index].reshape(8, 8), cmap="gray_r")
        panel.set_title(f"{predicted[index]} ({certainty[index]:.0%}), is {y_test[index]}", size=8)
        panel.axis("off")
    figure.suptitle("The held-out digits of which the board is least certain")
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else URL)
