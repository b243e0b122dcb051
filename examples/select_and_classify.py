"""Select features with one engine of a board and classify with the other.

    python examples/select_and_classify.py [URL of a board with both engines]

The annealer chooses eight of the thirty measurements of a cell sample: those that tell much about
the diagnosis and little about each other. The contractor then classifies by these eight alone. Both
engines are in one bitstream, so the board is opened once and passed on.
"""

import sys

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from tensorspin import AnnealingFeatureSelector, Board, BoardSampler, MPSClassifier, deploy

URL = "golden://ulx3s_25f_both"
SELECTED = 8


def main(url: str) -> None:
    """Select, train, deploy, and compare with a classifier that sees all features."""
    data = load_breast_cancer()
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, stratify=data.target, random_state=0
    )

    with Board.open(url) as board:
        # The selector takes any dimod sampler, such as dwave-samplers' or a quantum annealer. It
        # searches for the weight of relevance against redundancy that selects eight features, and
        # solves a QUBO for each weight that it tries.
        selector = AnnealingFeatureSelector(
            BoardSampler(board), n_features_to_select=SELECTED, random_state=0
        )
        selector.fit(X_train, y_train)
        names = data.feature_names[selector.get_support()]
        print(f"{SELECTED} of {X_train.shape[1]} features: {', '.join(names)}")
        print(f"QUBOs solved: {selector.n_searches_}")

        # Selector and network are ordinary scikit-learn estimators, so that a pipeline takes both,
        # and comes to the board as one: it takes all columns, and the board is sent eight of them.
        network = MPSClassifier(bond_dim=4, random_state=0)
        network.fit(selector.transform(X_train), y_train)
        on_board = deploy(make_pipeline(selector, network), board)
        accuracy = on_board.score(X_test, y_test)
        cycles = int(on_board.last_run_.cycles[0])

        everything = MPSClassifier(bond_dim=4, random_state=0).fit(X_train, y_train)
        all_on_board = everything.deploy(board)
        all_accuracy = all_on_board.score(X_test, y_test)
        all_cycles = int(all_on_board.last_run_.cycles[0])

    print(f"{SELECTED} features: accuracy {accuracy:.3f}, {cycles} cycles a sample")
    print(f"all features: accuracy {all_accuracy:.3f}, {all_cycles} cycles a sample")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else URL)
