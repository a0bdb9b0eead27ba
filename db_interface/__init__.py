"""Where everything is kept: MongoDB behind Motor.

The only room that imports the driver; it imports nothing of the project.
"""
