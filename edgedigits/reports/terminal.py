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
        for name, label, marker in ((metric, "training", "dot"), (f"val_{metric}", "validation", "x")):
            # Rounded, as it cannot scale an axis over differences that no plot would show.
            plotext.plot(epochs, [round(row[name], 4) for row in history], label=label, marker=marker)
        plotext.xticks(epochs if len(epochs) <= 10 else epochs[:: len(epochs) // 10])
        plots += [line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines()]
    return "\n".join(plots)
