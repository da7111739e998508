"""Read many pictures: options, processes, drawings, and readings as text, JSON and CSV."""
