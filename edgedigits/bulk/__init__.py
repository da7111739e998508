"""Bulk reading: many pictures in source order, in one process or several, in bounded memory."""
