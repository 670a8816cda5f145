"""The automatic path of a row, one short file a step: start here."""
