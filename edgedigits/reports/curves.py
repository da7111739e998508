"""Draw accuracy and loss by epoch."""

from pathlib import Path


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw training against validation to `path` as PNG; `history` has one row per epoch."""
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        axes.plot(epochs, [row[metric] for row in history], marker="o", markersize=3, label="training")
        axes.plot(epochs, [row[f"val_{metric}"] for row in history], marker="o", markersize=3, label="validation")
        axes.set(xlabel="epoch", ylabel=metric, title=metric.capitalize())
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, format="png", dpi=120)
