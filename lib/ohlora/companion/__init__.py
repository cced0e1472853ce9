"""Oh-LoRA herself: one turn end to end, her expression, her face in motion, and the chat."""
