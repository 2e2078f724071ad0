"""What the metrics fit: linear classifiers and trees. Arrays in, fitted values out; nothing here knows of metrics.

The linear ones exist twice, our own and scikit-learn's, as the entries of `choice.SOLVERS`: metrics have an option
`solver` of "own" or "sklearn".
"""
