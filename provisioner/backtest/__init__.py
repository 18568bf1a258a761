"""How often rules would have fired on data that is there: the rendered monitors, run at times that have passed."""
