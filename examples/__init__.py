"""Programs that call Onggi, short enough to read whole."""
