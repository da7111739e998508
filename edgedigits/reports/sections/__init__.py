"""The sections of a report, one module each: facts in, a Section out."""
