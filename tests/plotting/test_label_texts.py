"""Labels are shown as they are: dollar signs in them begin no formula."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from skmnist.plotting import (
    DenseWeightsDisplay,
    ExtractedDigitsDisplay,
    ImageGalleryDisplay,
    LabelHistogramDisplay,
    OcclusionSaliencyDisplay,
    RecognitionDisplay,
    SearchResultsDisplay,
)
from skmnist.preprocessing.extraction import ExtractedDigits

X = np.arange(32.0).reshape(2, 16)
LABELS = np.array(["$_$", "$a"])
FOUND = ExtractedDigits(
    X.reshape(2, 4, 4).astype(np.uint8),
    np.array([[1, 1, 5, 5], [1, 6, 5, 9]]),
    np.ones(2),
    np.zeros(2, int),
)
SEARCH = {
    "params": [{"a": "$_$"}, {"a": "$a$"}],
    "mean_test_score": [0.5, 0.6],
    "std_test_score": [0.1, 0.1],
    "rank_test_score": [2, 1],
}
DISPLAYS = {
    "recognition": lambda: RecognitionDisplay.from_predictions(X, LABELS, LABELS),
    "gallery": lambda: ImageGalleryDisplay.from_rows(X, [0, 1], LABELS),
    "extraction": lambda: ExtractedDigitsDisplay.from_predictions(
        np.zeros((9, 9)), FOUND, LABELS
    ),
    "histogram": lambda: LabelHistogramDisplay.from_labels(LABELS),
    "saliency": lambda: OcclusionSaliencyDisplay(
        X[:1].reshape(4, 4), X[1:].reshape(4, 4) - 20, "$_$", 0.9
    ).plot(),
    "weights": lambda: DenseWeightsDisplay(X.reshape(2, 4, 4), names=LABELS).plot(),
    "search": lambda: SearchResultsDisplay.from_results(pd.DataFrame(SEARCH)),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_dollar_signs_in_labels_are_shown(name):
    display = DISPLAYS[name]()
    display.figure_.draw_without_rendering()
    texts = [text.get_text() for text in display.figure_.findobj(Text)]
    marked = [text for text in texts if "$" in text]
    assert marked
    assert not any(map(is_math_text, marked))
