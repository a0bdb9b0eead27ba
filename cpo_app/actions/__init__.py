"""What people do here, each thing declared once: its name, words, role, parameters, and what it
does. The console's forms, the API and the command line are three doors to the same actions.
"""
