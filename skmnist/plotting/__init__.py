"""Displays of data, training, predictions, networks, comparisons and searches.

They follow the pattern of scikit-learn's own: a display is made by one of its
``from_…`` methods, which compute what is to be shown and draw it; ``plot`` draws it
again, elsewhere or otherwise; the artists are kept in attributes that end with an
underscore. What scikit-learn draws already is not repeated here:
:class:`~sklearn.metrics.ConfusionMatrixDisplay`,
:class:`~sklearn.metrics.RocCurveDisplay`,
:class:`~sklearn.calibration.CalibrationDisplay` and
:class:`~sklearn.model_selection.LearningCurveDisplay` take the classifiers of this
package as they are.

Drawing needs matplotlib (``pip install "skmnist[plot]"``), which is loaded with the
first picture; :class:`NetworkDiagram` does without it.
"""

from .comparison import ModelComparisonDisplay
from .diagrams import LayerNode, NetworkDiagram
from .feature_maps import FeatureMapsDisplay
from .filters import FiltersDisplay
from .galleries import ImageGalleryDisplay
from .histories import TrainingHistoryDisplay
from .labels import LabelHistogramDisplay
from .recognition import RecognitionDisplay
from .saliency import OcclusionSaliencyDisplay
from .search import SearchResultsDisplay
from .weights import DenseWeightsDisplay

__all__ = [
    "DenseWeightsDisplay",
    "FeatureMapsDisplay",
    "FiltersDisplay",
    "ImageGalleryDisplay",
    "LabelHistogramDisplay",
    "LayerNode",
    "ModelComparisonDisplay",
    "NetworkDiagram",
    "OcclusionSaliencyDisplay",
    "RecognitionDisplay",
    "SearchResultsDisplay",
    "TrainingHistoryDisplay",
]
