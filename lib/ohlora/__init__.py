"""Oh-LoRA (오로라): a virtual woman who talks with you and whose face follows what she says."""

__version__ = "0.1.0"
