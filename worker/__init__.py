"""The process that stays awake: settings, wiring, scheduler, queue, telemetry and the command line."""
