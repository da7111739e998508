"""Models of many kinds, as other tools write them, each taken through import, exports, verify and predict."""
