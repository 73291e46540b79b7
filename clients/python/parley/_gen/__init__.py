__all__ = ['ttypes', 'constants', 'Prediction', 'Training', 'Registry', 'Feedback', 'Operations']
