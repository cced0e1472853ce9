"""Labels for portraits: nine-class masks, seven measured properties, gender and quality."""

from ohlora.labeling.classifiers import classify, load_classifier
from ohlora.labeling.label_store import LabelStore, LabelStoreError
from ohlora.labeling.labeler import Labeler, load_labeler, load_standardisation
from ohlora.labeling.labeling_widget import LabelingWidget
from ohlora.labeling.measurements import PROPERTIES, Standardisation, measure, one_hot
from ohlora.labeling.regressor import load_regressor
from ohlora.labeling.segmentation import CLASSES, load_segmentation

__all__ = [
    "CLASSES",
    "PROPERTIES",
    "LabelStore",
    "LabelStoreError",
    "Labeler",
    "LabelingWidget",
    "Standardisation",
    "classify",
    "load_classifier",
    "load_labeler",
    "load_regressor",
    "load_segmentation",
    "load_standardisation",
    "measure",
    "one_hot",
]
