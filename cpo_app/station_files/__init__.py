"""Files between us and charging stations: logs that they upload, firmware that they fetch."""
