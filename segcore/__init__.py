"""The engine of Acinus: slides in, class masks, annotations and explanations out. It knows no Qt.

Layers, imports running down only: cli > training > inference, explain > refinement > models, evaluation,
data > annotations > slides > config > progress > errors.
"""

__version__ = "0.1.0"
