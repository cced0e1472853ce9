"""Chapter 03: portraits you would choose. Auto-encoder, ratings, nearest neighbours, recommendation."""

from ohlora.recommend.autoencoder import AutoEncoder, load_autoencoder
from ohlora.recommend.predictor import Prediction, RatingPredictor
from ohlora.recommend.rating_widget import RatingWidget
from ohlora.recommend.ratings import PortraitRecipe, Rating, RatingStore, RatingStoreError
from ohlora.recommend.recommender import (
    Recommendation,
    generator_identity,
    portrait_recipes,
    recommend,
)
from ohlora.recommend.simulated_rater import SimulatedRater, noticeable_features

__all__ = [
    "AutoEncoder",
    "PortraitRecipe",
    "Prediction",
    "Rating",
    "RatingPredictor",
    "RatingStore",
    "RatingStoreError",
    "RatingWidget",
    "Recommendation",
    "SimulatedRater",
    "generator_identity",
    "load_autoencoder",
    "noticeable_features",
    "portrait_recipes",
    "recommend",
]
