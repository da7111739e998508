"""Curves as text, for the end of a training in a terminal."""

HEIGHT = 12


def curves_as_text(history: list[dict[str, float]], width: int) -> str:
    """Return accuracy and loss by epoch as two small plots under each other, in plain characters.

    Args:
        history: one row per epoch.
        width: in characters.
    """
    import plotext

    epochs = [row["epoch"] for row in history]
    plots: list[str] = []
    for metric in ("accuracy", "loss"):
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plotsize(width, HEIGHT)
        plotext.title(f"{metric} by epoch")
        plotext.plot(epochs, [row[metric] for row in history], label="training", marker="dot")
        plotext.plot(epochs, [row[f"val_{metric}"] for row in history], label="validation", marker="x")
        plotext.xticks(epochs if len(epochs) <= 10 else epochs[:: len(epochs) // 10])
        plots += [line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines()]
    return "\n".join(plots)
