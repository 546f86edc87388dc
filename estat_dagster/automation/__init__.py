"""What starts the assets: jobs, schedules and sensors."""
