"""Where every published number comes from: one module a chapter. Only notebooks and tests import it."""

from ohlora.evaluation.metrics import Metric, read_metrics, write_metrics

__all__ = ["Metric", "read_metrics", "write_metrics"]
