"""Reports: pictures and pages that show what a run made."""
