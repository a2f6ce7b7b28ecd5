"""The process that sends: it starts the engine's lanes and keeps its timetable."""
