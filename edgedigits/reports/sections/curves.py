"""The training curves: accuracy and loss by epoch."""

from edgedigits.plotting.curves import best_epoch, metric_figure
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, charts, table

TITLE = "Training"


def curves(facts: Facts) -> Section:
    """Return accuracy and loss by epoch, training against validation."""
    if not facts.history:
        return Section("training", TITLE, missing=facts.reasons("history"))
    pictures = tuple(_picture(facts, metric) for metric in ("accuracy", "loss"))
    best, final = best_epoch(facts.history), facts.history[-1]
    rows = [
        (f"{name}: epoch {row['epoch']:.0f}", *(f"{row[key]:.4f}" for key in _KEYS))
        for name, row in (("best by validation", best), ("final", final))
    ]
    head = ("epoch", "training accuracy", "validation accuracy", "training loss", "validation loss")
    seconds = sum(row.get("seconds", 0.0) for row in facts.history)
    epochs = "1 epoch" if len(facts.history) == 1 else f"{len(facts.history)} epochs"
    caption = f"{epochs} in {seconds:,.0f} s. Training figures are means over the epoch."
    return Section("training", TITLE, (charts(pictures), table(caption, head, rows)), pictures)


_KEYS = ("accuracy", "val_accuracy", "loss", "val_loss")


def _picture(facts: Facts, metric: str) -> Picture:
    best, final = best_epoch(facts.history), facts.history[-1]
    alt = (
        f"Curves: {metric} by epoch. Training ends at {final[metric]:.4f}, validation at {final[f'val_{metric}']:.4f}"
        f" in epoch {final['epoch']:.0f}; in epoch {best['epoch']:.0f}, the best by validation accuracy,"
        f" validation is at {best[f'val_{metric}']:.4f}."
    )
    return Picture(metric, metric_figure(facts.history, metric), alt, f"{metric.capitalize()} by epoch.")
