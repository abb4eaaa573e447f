"""Displays of data, training, predictions, networks, comparisons and searches.

They work like the displays of scikit-learn. A ``from_…`` method computes the values and
draws the display; ``plot`` draws it again, on other axes or with other settings; the
artists are attributes that end with an underscore. For plots that scikit-learn has
already, use its own displays: :class:`~sklearn.metrics.ConfusionMatrixDisplay`,
:class:`~sklearn.metrics.RocCurveDisplay`,
:class:`~sklearn.calibration.CalibrationDisplay` and
:class:`~sklearn.model_selection.LearningCurveDisplay` work with the classifiers of this
package.

Drawing needs matplotlib (``pip install "skmnist[plot]"``), which is loaded with the
first figure. :class:`NetworkDiagram` does not need it.
"""

from .candidate_histories import CandidateHistoriesDisplay
from .comparison import ModelComparisonDisplay
from .diagrams import LayerNode, NetworkDiagram
from .extraction import ExtractedDigitsDisplay
from .feature_maps import FeatureMapsDisplay
from .filters import FiltersDisplay
from .galleries import ImageGalleryDisplay
from .histories import TrainingHistoryDisplay
from .labels import LabelHistogramDisplay
from .recognition import RecognitionDisplay
from .rejection import RejectionCurveDisplay
from .saliency import OcclusionSaliencyDisplay
from .search import SearchResultsDisplay
from .weights import DenseWeightsDisplay

__all__ = [
    "CandidateHistoriesDisplay",
    "DenseWeightsDisplay",
    "ExtractedDigitsDisplay",
    "FeatureMapsDisplay",
    "FiltersDisplay",
    "ImageGalleryDisplay",
    "LabelHistogramDisplay",
    "LayerNode",
    "ModelComparisonDisplay",
    "NetworkDiagram",
    "OcclusionSaliencyDisplay",
    "RecognitionDisplay",
    "RejectionCurveDisplay",
    "SearchResultsDisplay",
    "TrainingHistoryDisplay",
]
